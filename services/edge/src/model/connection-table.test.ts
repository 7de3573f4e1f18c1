import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONNECTION_ID_LENGTH, GENERATIONS, slotOfId } from './connection-id.ts';
import { ConnectionTable } from './connection-table.ts';

interface Entry {
  readonly id: string;
}

const newTable = (random: (bytes: number) => Uint8Array = randomBytes): ConnectionTable<Entry> =>
  new ConnectionTable('edge', random);

function reserved(table: ConnectionTable<Entry>): Entry {
  const id = table.reserve();
  if (id === undefined) throw new Error('every slot is taken');
  return { id };
}

function findByBytes(table: ConnectionTable<Entry>, id: string): Entry | undefined {
  const bytes = Buffer.from(`<${id}>`);
  return table.find(bytes, 1, bytes.length - 1);
}

test('random use agrees with a map from id to entry', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('reserve', 'add', 'release'), fc.nat(20)), {
    maxLength: 100,
    size: 'max',
  });
  const given = fc.property(steps, (all) => {
    const table = newTable();
    const held: Entry[] = [];
    const live = new Map<string, Entry>();
    const minted: string[] = [];
    for (const [step, at] of all) {
      const entry = held[at % Math.max(held.length, 1)];
      if (step === 'reserve') {
        held.push(reserved(table));
        minted.push(held.at(-1)!.id);
      } else if (entry !== undefined && step === 'add') {
        table.add(entry);
        live.set(entry.id, entry);
      } else if (entry !== undefined) {
        table.release(entry.id);
        held.splice(held.indexOf(entry), 1);
        live.delete(entry.id);
      }
      expect(new Set(minted).size).toBe(minted.length);
      for (const id of minted) {
        expect(table.get(id)).toBe(live.get(id));
        expect(findByBytes(table, id)).toBe(live.get(id));
      }
    }
  });
  fc.assert(given, { numRuns: 50 });
});

test('released slots are used again, and a stale id does not find the successor', () => {
  const table = newTable();
  const ids: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const entry = reserved(table);
    table.add(entry);
    ids.push(entry.id);
    if (i < 999) table.release(entry.id);
  }
  expect(new Set(ids).size).toBe(1000);
  expect(new Set(ids.map(slotOfId))).toEqual(new Set([0]));
  for (const stale of ids.slice(0, -1)) {
    expect(table.get(stale)).toBeUndefined();
    expect(findByBytes(table, stale)).toBeUndefined();
  }
  expect(findByBytes(table, ids.at(-1)!)?.id).toBe(ids.at(-1));
});

test('an id of another edge has a slot that it does not name, and gives it back', () => {
  const table = newTable();
  const own = reserved(table);
  table.add(own);
  const foreign = { id: `away${own.id.slice(4)}` };
  expect(table.reserveFor(foreign.id)).toBe(true);
  expect([table.reserveFor(foreign.id), table.keeps(foreign.id)]).toEqual([false, true]);
  expect([table.size, table.get(foreign.id)]).toEqual([2, undefined]);
  table.add(foreign);
  for (const entry of [own, foreign]) {
    expect(table.get(entry.id)).toBe(entry);
    expect(findByBytes(table, entry.id)).toBe(entry);
  }
  expect([table.at(0), table.at(1)]).toEqual([own, foreign]);
  table.release(foreign.id);
  expect([table.size, table.keeps(foreign.id), table.get(foreign.id)]).toEqual([
    1,
    false,
    undefined,
  ]);
  expect(slotOfId(reserved(table).id)).toBe(1);
});

test('generations alone tell successors apart, if the random part should repeat', () => {
  const table = newTable((bytes) => new Uint8Array(bytes));
  const first = reserved(table);
  table.release(first.id);
  const second = reserved(table);
  table.add(second);
  expect(slotOfId(second.id)).toBe(slotOfId(first.id));
  expect(table.get(first.id)).toBeUndefined();
});

test('a slot has had every generation there is before one comes again', () => {
  const table = newTable((bytes) => new Uint8Array(bytes));
  const next = (): string => {
    const { id } = reserved(table);
    table.release(id);
    return id;
  };
  const ids = Array.from({ length: GENERATIONS }, next);
  expect(new Set(ids).size).toBe(GENERATIONS);
  expect(next()).toBe(ids[0]);
});

test('a reserved id is not found before it is added', () => {
  const table = newTable();
  const entry = reserved(table);
  expect(table.get(entry.id)).toBeUndefined();
  table.add(entry);
  expect(table.get(entry.id)).toBe(entry);
});

test('bytes that are not a live id find nobody', () => {
  const table = newTable();
  const entries = Array.from({ length: 70 }, () => reserved(table));
  for (const entry of entries) table.add(entry);
  const nearly = fc
    .tuple(fc.constantFrom(...entries), fc.nat(CONNECTION_ID_LENGTH - 1), fc.nat(255))
    .map(([{ id }, at, byte]) => {
      const bytes = Buffer.from(id);
      bytes[at] = byte;
      return bytes;
    });
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 64, size: 'max' }),
    fc.uint8Array({ minLength: CONNECTION_ID_LENGTH, maxLength: CONNECTION_ID_LENGTH }),
    nearly,
  );
  const given = fc.property(garbage, (bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const wanted = entries.find(({ id }) => id === text);
    expect(table.find(bytes, 0, bytes.length)).toBe(wanted);
    expect(table.get(text)).toBe(wanted);
  });
  fc.assert(given, { numRuns: 1000 });
});

test('an id that is cut off by the end of the bytes finds nobody', () => {
  const table = newTable();
  const entry = reserved(table);
  table.add(entry);
  const bytes = Buffer.from(entry.id.slice(0, -1));
  expect(table.find(bytes, 0, CONNECTION_ID_LENGTH)).toBeUndefined();
});
