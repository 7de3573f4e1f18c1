/** Members of a payload in writing order. A map, because a claim may be called `__proto__`. */
export type MemberList<Value> = Map<string, Value[]>;

export function append<Value>(members: MemberList<Value>, name: string, value: Value): void {
  const values = members.get(name);
  if (values === undefined) members.set(name, [value]);
  else values.push(value);
}

/** The JSON text of each member; one with several values is a list. */
export function memberTexts(members: ReadonlyMap<string, readonly unknown[]>): string[] {
  return [...members].map(([name, values]) =>
    memberText(name, values.length === 1 ? values[0] : values),
  );
}

export function memberText(name: string, value: unknown): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}
