import { ByteReader, ByteWriter } from '@trunkline/protocol';
import type { Rule, RulesPage } from '../model/user-group-rules.ts';

// `[next or nil, [[user, group, milliseconds left or nil], ...], whether it is whole]`, in MessagePack.

/** What one edge tells of its rules. */
export interface ToldRules extends RulesPage {
  /** It is not learning rules itself: those of one such edge are those of all. */
  readonly isWhole: boolean;
}

export function encodeRulesPage({ rules, next, isWhole }: ToldRules): Uint8Array {
  const writer = new ByteWriter(64 * (1 + rules.length));
  writer.arrayHeader(3);
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
  return writer.view();
}

/** Throws ProtocolError. */
export function decodeRulesPage(payload: Uint8Array): ToldRules {
  const reader = new ByteReader(payload);
  reader.arrayHeader();
  const next = reader.nil() ? undefined : reader.int();
  const rules = Array.from({ length: reader.arrayHeader() }, () => readRule(reader));
  return { rules, next, isWhole: reader.boolean() };
}

function readRule(reader: ByteReader): Rule {
  reader.arrayHeader();
  const [userId, group] = [reader.text(), reader.text()];
  return { userId, group, ttlSeconds: reader.nil() ? undefined : reader.int() / 1000 };
}
