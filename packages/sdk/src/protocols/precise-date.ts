/**
 * A time with more digits than a Date has, as .NET's 100 ns: whoever passes it on keeps them. For all
 * else it is the Date of its millisecond, and a Date alone once it has been changed.
 */
export class PreciseDate extends Date {
  readonly #read: number;
  readonly #nanoseconds: number;

  /** `nanoseconds` are those behind the millisecond, 0 to 999,999. */
  constructor(milliseconds: number, nanoseconds: number) {
    super(milliseconds);
    this.#read = milliseconds;
    this.#nanoseconds = nanoseconds;
  }

  get nanoseconds(): number {
    return this.getTime() === this.#read ? this.#nanoseconds : 0;
  }

  override toJSON(): string {
    const text = super.toJSON();
    if (this.nanoseconds === 0) return text;
    const digits = String(this.nanoseconds).padStart(6, '0').replace(/0+$/, '');
    return `${text.slice(0, -1)}${digits}Z`;
  }
}
