import { byNumber, byOptions, type Forms } from '../options/data-forms.js';
import { decorrelatedJitter } from './decorrelated-jitter.js';
import { exponential } from './exponential.js';
import { fibonacci } from './fibonacci.js';
import { fixed } from './fixed.js';
import { linear } from './linear.js';

/** The backoffs that can stand in data. */
export const BACKOFF_FORMS: Forms = {
  fixed: byNumber(fixed),
  linear: byOptions(linear),
  exponential: byOptions(exponential),
  fibonacci: byOptions(fibonacci),
  decorrelatedJitter: byOptions(decorrelatedJitter),
};

/** What makes backoffs in code. */
export const BACKOFF_FACTORIES = [fixed, linear, exponential, fibonacci, decorrelatedJitter];
