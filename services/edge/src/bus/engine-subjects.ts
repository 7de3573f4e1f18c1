/**
 * Subjects as engines have them: behind a prefix, so that clusters that share an engine do not hear
 * each other, and without what means something to NATS (blanks, `*`, `>`, an empty word).
 */
export class EngineSubjects {
  /** What permissions for the engine must cover: `trunkline.<cluster>.>`. */
  readonly #prefix: string;

  constructor(cluster: string) {
    this.#prefix = `trunkline.${toWord(cluster)}.`;
  }

  nameOf(subject: string): string {
    const isPlain = /^[\w-]+(?:\.[\w-]+)*$/.test(subject);
    return this.#prefix + (isPlain ? subject : subject.split('.').map(toWord).join('.'));
  }

  /** The subject of a name that `nameOf` gave. */
  subjectOf(name: string): string {
    const subject = name.slice(this.#prefix.length);
    return subject.includes('%') ? subject.split('.').map(fromWord).join('.') : subject;
  }
}

/**
 * One word of a name: every character but letters, digits, `_` and `-` by its bytes in UTF-8, the dot
 * among them; nothing at all is `%`.
 */
export function toWord(text: string): string {
  if (text === '') return '%';
  if (/^[\w-]+$/.test(text)) return text;
  return text.replaceAll(/[^\w-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

export function fromWord(word: string): string {
  return word === '%' ? '' : decodeURIComponent(word);
}
