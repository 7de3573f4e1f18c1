import { Deferred } from '../deferred.ts';

interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

/** Named gates, closed until somebody opens them: how a test decides what happens first. */
export class Gates {
  readonly #gates = new Map<string, Gate>();

  pass(name: string): Promise<void> {
    return this.#gate(name).passed;
  }

  open(name: string): void {
    this.#gate(name).open();
  }

  #gate(name: string): Gate {
    const known = this.#gates.get(name);
    if (known !== undefined) return known;
    const passed = new Deferred<void>();
    const gate = { passed: passed.promise, open: () => passed.resolve() };
    this.#gates.set(name, gate);
    return gate;
  }
}
