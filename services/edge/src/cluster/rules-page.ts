import { ByteReader, ByteWriter } from '@trunkline/protocol';
import type { Rule, RulesPage } from '../model/user-group-rules.ts';

// `[next or nil, [[user, group, milliseconds left or nil], ...]]`, in MessagePack.

export function encodeRulesPage({ rules, next }: RulesPage): Uint8Array {
  const writer = new ByteWriter(64 * (1 + rules.length));
  writer.arrayHeader(2);
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
  return writer.view();
}

/** Throws ProtocolError. */
export function decodeRulesPage(payload: Uint8Array): RulesPage {
  const reader = new ByteReader(payload);
  reader.arrayHeader();
  const next = reader.nil() ? undefined : reader.int();
  const rules = Array.from({ length: reader.arrayHeader() }, () => readRule(reader));
  return { rules, next };
}

function readRule(reader: ByteReader): Rule {
  reader.arrayHeader();
  const [userId, group] = [reader.text(), reader.text()];
  return { userId, group, ttlSeconds: reader.nil() ? undefined : reader.int() / 1000 };
}
