import type { ByteReader, ByteWriter } from '@trunkline/protocol';

/** What edges say to each other of connections that are not where their ids were minted. */
export type ClaimFrame =
  /** A client that was given this id wants to connect elsewhere. */
  | {
      readonly kind: 'claim';
      readonly question: number;
      readonly id: string;
      readonly version: number;
      readonly hub: string;
      readonly userId: string | undefined;
    }
  /**
   * Connections whose ids have these tags may be at any edge from now on, and these ids are used up.
   * `question` 0: nobody waits for this to be known.
   */
  | {
      readonly kind: 'scattered';
      readonly question: number;
      readonly tags: readonly string[];
      readonly ids: readonly string[];
    }
  /** These connections, which were looked for at every edge, are here. */
  | { readonly kind: 'located'; readonly ids: readonly string[] };

const ClaimKind = { claim: 10, scattered: 11, located: 12 } as const;

export function writeClaimFrame(writer: ByteWriter, frame: ClaimFrame): void {
  switch (frame.kind) {
    case 'claim':
      writer.arrayHeader(6);
      writer.int(ClaimKind.claim);
      writer.int(frame.question);
      writer.text(frame.id);
      writer.int(frame.version);
      writer.text(frame.hub);
      if (frame.userId === undefined) writer.nil();
      else writer.text(frame.userId);
      break;
    case 'scattered':
      writer.arrayHeader(4);
      writer.int(ClaimKind.scattered);
      writer.int(frame.question);
      writeTexts(writer, frame.tags);
      writeTexts(writer, frame.ids);
      break;
    case 'located':
      writer.arrayHeader(2);
      writer.int(ClaimKind.located);
      writeTexts(writer, frame.ids);
      break;
  }
}

/** Behind its kind. Undefined for a kind that is none of these. Throws ProtocolError for what is no frame. */
export function readClaimFrame(kind: number, reader: ByteReader): ClaimFrame | undefined {
  switch (kind) {
    case ClaimKind.claim:
      return {
        kind: 'claim',
        question: reader.int(),
        id: reader.text(),
        version: reader.int(),
        hub: reader.text(),
        userId: reader.nil() ? undefined : reader.text(),
      };
    case ClaimKind.scattered:
      return {
        kind: 'scattered',
        question: reader.int(),
        tags: readTexts(reader),
        ids: readTexts(reader),
      };
    case ClaimKind.located:
      return { kind: 'located', ids: readTexts(reader) };
    default:
      return undefined;
  }
}

function writeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.arrayHeader(texts.length);
  for (const text of texts) writer.text(text);
}

function readTexts(reader: ByteReader): string[] {
  const texts: string[] = [];
  for (let left = reader.arrayHeader(); left > 0; left--) texts.push(reader.text());
  return texts;
}
