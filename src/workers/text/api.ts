/** What the page may ask of a text worker. Types only. */

export interface PatternEdit {
  pattern: string;
  replacement: string;
  matchCase: boolean;
}

export interface TextWorker {
  /** Number of CLIP's tokens of each text, without the start and end tokens. */
  countTokens(texts: string[]): Promise<number[]>;
  /** Each text with every match of the regular expression replaced. A pattern may take for ever: the page ends the worker. */
  replacePattern(texts: string[], edit: PatternEdit): Promise<string[]>;
}
