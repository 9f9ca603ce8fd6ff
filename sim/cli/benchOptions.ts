export interface BenchOptions {
  /** In each of them every contestant has its turn once. */
  readonly rounds: number;
  /** Small sizes: that it works, not how fast. */
  readonly quick: boolean;
}
