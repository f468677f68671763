/** Options of backoffs of other libraries, and what is there instead. */
export const BACKOFF_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  initialDelay: 'initial is the first pause, ms',
  minDelay: 'initial is the first pause, ms',
  initialInterval: 'initial is the first pause, ms',
  delay: 'initial is the first pause, ms',
  base: 'initial is the first pause, ms',
  maxDelay: 'max is the longest pause, ms',
  maxInterval: 'max is the longest pause, ms',
  exponent: 'factor is what each pause is multiplied by',
  multiplier: 'factor is what each pause is multiplied by',
  generator: "jitter: 'full', 'equal' or 'none'; decorrelatedJitter() is a backoff of its own",
  maxAttempts: 'maxAttempts stands beside backoff, in the options of the retry',
};
