/** The per-step numbers every kernel may read from the `scalars` input: one upload of 64 bytes a step. */
export const STEP_SCALARS = {
  /** Learning rate of U-Net parameters, and of text-encoder parameters. */
  learningRate: 0,
  textEncoderLearningRate: 1,
  /** 1 − β1^t and √(1 − β2^t), computed in doubles by the host. */
  biasCorrection1: 2,
  biasCorrection2Sqrt: 3,
  /** 1 when this micro-batch adds to the gradients, 0 when it overwrites them. */
  accumulate: 4,
  /** Multiplies the loss before the backward pass; divided out by the optimizer. */
  lossScale: 5,
  /** 0 disables clipping. */
  maxGradNorm: 6,
  weightDecay: 7,
  beta1: 8,
  beta2: 9,
  epsilon: 10,
} as const;

export const STEP_SCALAR_COUNT = 16;
