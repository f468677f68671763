// The flags of an attempt, which share one number.

/** Its method has been called; it has not returned; it has, and its work goes on. */
export const BEGUN = 1;
export const IN_METHOD = 2;
export const GOES_ON = 4;
export const QUEUED = 8;
export const ABORTED = 16;
export const BOUNDED = 32;
export const SETTLED = 64;
