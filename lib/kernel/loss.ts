/** What would be lost with the state of a name. */
export enum Loss {
  /** It is as if it were new. */
  Nothing,
  /** Something is remembered: that a dependency is down, what was used of a limit. */
  Memory,
  /** Calls run or wait, or an operator has spoken: it stays. */
  Work,
}
