// Attention for small heads on a CPU: softmax(q k^T) v per head without the score matrix in memory.
// q, k, v, o: [heads, rows, DIM] f32, contiguous, q already scaled. Scores are recomputed in the backward pass
// from the log-sum-exp of each row. Built once per head size (-DDIM=8, 16); vectorised by the compiler.
#include <math.h>
#include <string.h>

#define MAX_KEYS 1024

// scores[j] = q . k[j], with k transposed to [DIM, keys] so that the inner loop runs over j.
static void row_scores(const float *q, const float *kt, int keys, float *restrict scores) {
  for (int j = 0; j < keys; j++) {
    float sum = 0;
    for (int d = 0; d < DIM; d++) sum += q[d] * kt[d * keys + j];
    scores[j] = sum;
  }
}

static void transpose(const float *x, int rows, float *restrict out) {
  for (int j = 0; j < rows; j++)
    for (int d = 0; d < DIM; d++) out[d * rows + j] = x[j * DIM + d];
}

static float dot(const float *restrict a, const float *restrict b, int n) {
  float sum = 0;
  for (int j = 0; j < n; j++) sum += a[j] * b[j];
  return sum;
}

void forward(const float *q, const float *k, const float *v, float *o, float *lse, int heads, int rows, int keys) {
  float kt[DIM * MAX_KEYS], vt[DIM * MAX_KEYS], p[MAX_KEYS];
  for (int h = 0; h < heads; h++, k += keys * DIM, v += keys * DIM) {
    transpose(k, keys, kt);
    transpose(v, keys, vt);
    for (int i = 0; i < rows; i++, q += DIM, o += DIM, lse++) {
      row_scores(q, kt, keys, p);
      float top = p[0], sum = 0;
      for (int j = 1; j < keys; j++) top = p[j] > top ? p[j] : top;
      for (int j = 0; j < keys; j++) p[j] = expf(p[j] - top);
      for (int j = 0; j < keys; j++) sum += p[j];
      for (int d = 0; d < DIM; d++) o[d] = dot(p, vt + d * keys, keys) / sum;
      *lse = top + logf(sum);
    }
  }
}

// With P the softmax and g the gradient of o: dV = P^T g, dS = P * (g V^T - rowsum(g * o)), dQ = dS K, dK = dS^T Q.
void backward(const float *q, const float *k, const float *v, const float *o, const float *lse, const float *g,
              float *dq, float *dk, float *dv, int heads, int rows, int keys) {
  float kt[DIM * MAX_KEYS], vt[DIM * MAX_KEYS], dkt[DIM * MAX_KEYS], dvt[DIM * MAX_KEYS], p[MAX_KEYS], ds[MAX_KEYS];
  for (int h = 0; h < heads; h++) {
    transpose(k, keys, kt);
    transpose(v, keys, vt);
    memset(dkt, 0, sizeof(float) * DIM * keys);
    memset(dvt, 0, sizeof(float) * DIM * keys);
    for (int i = 0; i < rows; i++, q += DIM, o += DIM, g += DIM, dq += DIM, lse++) {
      const float log_sum = *lse, go = dot(g, o, DIM);
      row_scores(q, kt, keys, p);
      row_scores(g, vt, keys, ds);
      for (int j = 0; j < keys; j++) p[j] = expf(p[j] - log_sum);
      for (int j = 0; j < keys; j++) ds[j] = p[j] * (ds[j] - go);
      for (int d = 0; d < DIM; d++) {
        const float qd = q[d], gd = g[d];
        const float *restrict k_row = kt + d * keys;
        float *restrict dk_row = dkt + d * keys, *restrict dv_row = dvt + d * keys;
        float sum = 0;
        for (int j = 0; j < keys; j++) {
          sum += ds[j] * k_row[j];
          dk_row[j] += qd * ds[j];
          dv_row[j] += gd * p[j];
        }
        dq[d] = sum;
      }
    }
    for (int j = 0; j < keys; j++)
      for (int d = 0; d < DIM; d++) dk[j * DIM + d] = dkt[d * keys + j], dv[j * DIM + d] = dvt[d * keys + j];
    k += keys * DIM, v += keys * DIM, dk += keys * DIM, dv += keys * DIM;
  }
}
