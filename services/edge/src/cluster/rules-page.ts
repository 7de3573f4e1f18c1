import { ByteReader, ByteWriter } from '@trunkline/protocol';
import type { Removal, Rule, RulesPage } from '../model/rule.ts';

// In MessagePack: `[next or nil, [[user, group, milliseconds left or nil], ...], whether it is whole,
// [milliseconds since it was set, for each], [[user, group or nil for all, milliseconds since], ...]]`,
// the last of them removals. Edges of before write only the first three, and read no further. Edges of
// the version before tell all removals with the first page; where they take more pages here, such an edge
// heeds those of the last one alone, which are the latest.

/** Of a rule whose edge does not say it: as old as rules become, so that any removal is newer. */
const UNKNOWN_AGE_MS = 365 * 24 * 60 * 60 * 1000;

/** What one edge tells of its rules. */
export interface ToldRules extends RulesPage {
  /** It is not learning rules itself: those of one such edge are those of all. */
  readonly isWhole: boolean;
}

export function encodeRulesPage({ rules, next, isWhole, removals }: ToldRules): Uint8Array {
  const writer = new ByteWriter(64 * (1 + rules.length + (removals?.length ?? 0)));
  writer.arrayHeader(5);
  if (next === undefined) writer.nil();
  else writer.int(next);
  writer.arrayHeader(rules.length);
  for (const { userId, group, ttlSeconds } of rules) {
    writer.arrayHeader(3);
    writer.text(userId);
    writer.text(group);
    if (ttlSeconds === undefined) writer.nil();
    else writer.int(Math.ceil(ttlSeconds * 1000));
  }
  writer.boolean(isWhole);
  writer.arrayHeader(rules.length);
  for (const { ageSeconds } of rules) writer.int(Math.round(ageSeconds * 1000));
  if (removals === undefined) writer.nil();
  else writeRemovals(writer, removals);
  return writer.view();
}

function writeRemovals(writer: ByteWriter, removals: readonly Removal[]): void {
  writer.arrayHeader(removals.length);
  for (const { userId, group, ageSeconds } of removals) {
    writer.arrayHeader(3);
    writer.text(userId);
    if (group === undefined) writer.nil();
    else writer.text(group);
    writer.int(Math.round(ageSeconds * 1000));
  }
}

/** Throws ProtocolError. */
export function decodeRulesPage(payload: Uint8Array): ToldRules {
  const reader = new ByteReader(payload);
  const parts = reader.arrayHeader();
  const next = reader.nil() ? undefined : reader.int();
  const rules = readList(reader, () => readRule(reader));
  const isWhole = reader.boolean();
  const ages = parts > 3 ? readList(reader, () => reader.int()) : [];
  const removals =
    parts > 4 && !reader.nil() ? readList(reader, () => readRemoval(reader)) : undefined;
  const aged = rules.map((rule, at) => {
    return { ...rule, ageSeconds: (ages[at] ?? UNKNOWN_AGE_MS) / 1000 };
  });
  return { rules: aged, next, isWhole, ...(removals !== undefined && { removals }) };
}

function readList<T>(reader: ByteReader, read: () => T): T[] {
  return Array.from({ length: reader.arrayHeader() }, read);
}

function readRule(reader: ByteReader): Omit<Rule, 'ageSeconds'> {
  reader.arrayHeader();
  const [userId, group] = [reader.text(), reader.text()];
  return { userId, group, ttlSeconds: reader.nil() ? undefined : reader.int() / 1000 };
}

function readRemoval(reader: ByteReader): Removal {
  reader.arrayHeader();
  const userId = reader.text();
  const group = reader.nil() ? undefined : reader.text();
  return { userId, group, ageSeconds: reader.int() / 1000 };
}
