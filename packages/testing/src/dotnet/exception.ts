/** An error with the .NET name that its texts on the wire carry (client protocols reference, 6.4). */
export class DotnetException extends Error {
  /** `name`: such as `HubException` or `InvalidDataException`. */
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** What a hub tells its client: the text is sent, whatever the hub's options. */
export class HubException extends DotnetException {
  constructor(message: string) {
    super('HubException', message);
  }
}

export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
