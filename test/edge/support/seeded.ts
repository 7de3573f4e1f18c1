/** Numbers in [0, 1) that look random and are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomBytes(seed: number, length: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

/** A copy with a few bytes changed, taken out or put in. */
export function mutated(bytes: Uint8Array, random: () => number): Buffer {
  const changed = [...bytes];
  const times = 1 + Math.floor(random() * 4);
  for (let i = 0; i < times; i++) {
    const at = Math.floor(random() * changed.length);
    const value = Math.floor(random() * 256);
    const kind = random();
    if (kind < 0.7) changed[at] = value;
    else if (kind < 0.85) changed.splice(at, 1);
    else changed.splice(at, 0, value);
  }
  return Buffer.from(changed);
}
