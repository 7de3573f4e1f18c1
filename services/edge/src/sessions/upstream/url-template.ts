/** What a URL template is filled in with. */
export interface EventNames {
  readonly hub: string;
  readonly category: string;
  readonly event: string;
}

const NAMES = ['hub', 'category', 'event'];
/** Stands for a placeholder while the URL around it is parsed: no URL has it otherwise. */
const MARK = '%00';
const DOTS = /^(?:\.|%2e){1,2}$/i;

/** A template's text cannot be used. The message ends the sentence "the template ...". */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/**
 * The URL of an upstream with placeholders `{hub}`, `{category}` and `{event}` in its path and query.
 * Not in its host: clients choose events, and would choose the host with them.
 */
export class UrlTemplate {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, cut at the placeholders: every second part is a placeholder's name. */
  readonly #parts: readonly string[];

  /** @throws TemplateError */
  constructor(text: string) {
    const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1];
    if (authority === undefined) throw new TemplateError('is not an absolute http or https URL');
    if (authority.includes('{')) {
      throw new TemplateError('has a placeholder in its host: put it in the path or the query');
    }
    if (text.includes(MARK)) throw new TemplateError(`has ${MARK}, a character that no URL has`);
    const url = parsed(text.replaceAll(/\{([^{}]*)\}/g, (_all, name: string) => marked(name)));
    if (url.username !== '' || url.password !== '') {
      throw new TemplateError('has a user or password, which are not sent: put a key in the query');
    }
    if (url.hash !== '')
      throw new TemplateError('has a fragment (#), which is not sent: remove it');
    this.origin = url.origin;
    this.#parts = `${url.pathname}${url.search}`.split(MARK);
  }

  /** Path and query for an event; undefined where its name would lead out of the template's path. */
  pathFor(names: EventNames): string | undefined {
    const path = this.#parts
      .map((part, index) => (index % 2 === 0 ? part : escaped(names[part as keyof EventNames])))
      .join('');
    const segments = path.split('?', 1)[0]!.split('/');
    return segments.some((segment) => DOTS.test(segment)) ? undefined : path;
  }
}

function marked(name: string): string {
  if (NAMES.includes(name)) return `${MARK}${name}${MARK}`;
  throw new TemplateError(`has {${name}}: placeholders are {hub}, {category} and {event}`);
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new TemplateError('is not an absolute http or https URL');
  }
}

function escaped(text: string): string {
  // Half a surrogate pair cannot be encoded: a round trip through UTF-8 leaves none.
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}
