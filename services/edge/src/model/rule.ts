/** One rule, as another edge can take it over. */
export interface Rule {
  readonly userId: string;
  readonly group: string;
  /** How long it holds; undefined for one without a time to live. */
  readonly ttlSeconds: number | undefined;
  /** How long ago it was set. */
  readonly ageSeconds: number;
}

/** A user was taken out of a group; `group` undefined: out of all. As another edge can take it over. */
export interface Removal {
  readonly userId: string;
  readonly group: string | undefined;
  readonly ageSeconds: number;
}

/** Some rules, and where the next ones begin; undefined after the last. */
export interface RulesPage {
  readonly rules: readonly Rule[];
  readonly next: number | undefined;
  /** With the first pages, up to the first with rules: what is to be forgotten unless a page has it. */
  readonly removals?: readonly Removal[];
}

/** Bytes of names on one page: many edges are told one in the same turn, for which a bus has some 32 MiB. */
const PAGE_BYTES = 256 * 1024;
/**
 * What has longer names is not told at all. The bus refuses a message that is too long, and each time it
 * does all edges have missed something, which makes them ask for the same again.
 */
const LONGEST_TOLD_BYTES = 1024 * 1024;

/** A page that is being filled with rules or with removals: one at least, however long its names are. */
export class Page<T extends Pick<Removal, 'userId' | 'group'>> {
  readonly items: T[] = [];
  #bytes = 0;

  /** False: the item is for the next page. One that is not told at all is on none. */
  take(item: T): boolean {
    const bytes = Buffer.byteLength(item.userId) + Buffer.byteLength(item.group ?? '');
    if (bytes > LONGEST_TOLD_BYTES) return true;
    if (this.items.length > 0 && this.#bytes + bytes > PAGE_BYTES) return false;
    this.items.push(item);
    this.#bytes += bytes;
    return true;
  }
}
