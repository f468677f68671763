/**
 * What is guarded, the same for every library. The error is made once: making one per call would cost more than the
 * policies that are measured.
 */
export const ERROR = new Error('the upstream failed');

export const succeed = async () => 1;

/** Rejects a turn later, not at once. */
export const fail = async () => {
  await null;
  throw ERROR;
};

/** A run of calls, one after the other, all of which succeed. */
export const succeeding = (call) => async (count) => {
  for (let made = 0; made < count; made++) await call();
};

/** A run of calls, one after the other, all of which reject. */
export const rejecting = (call) => async (count) => {
  let rejected = 0;
  for (let made = 0; made < count; made++) {
    try {
      await call();
    } catch {
      rejected++;
    }
  }
  if (rejected !== count) throw new Error(`${count - rejected} of ${count} calls did not reject: the row is void`);
};
