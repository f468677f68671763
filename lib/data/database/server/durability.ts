/** A setting of a server with which it may lose what it has acknowledged. */
export interface WeakSetting {
  readonly name: string;
  readonly value: string;
  readonly expected: string;
  /** Completes "acknowledged writes may be lost when ...". */
  readonly risk: string;
}

export function describeWeakSetting(place: string, { name, value, expected, risk }: WeakSetting): string {
  return `The database ${place} has ${name}=${value}, so acknowledged writes may be lost when ${risk}; expected ${expected}`;
}
