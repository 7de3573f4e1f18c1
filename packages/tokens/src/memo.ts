const KEPT = 64;

/**
 * A function of text that remembers its latest answers. Token headers and audiences are the same
 * few texts for all tokens of a service, and reading them costs as much as checking a signature.
 */
export function memo<T>(read: (text: string) => T): (text: string) => T {
  const answers = new Map<string, T>();
  return (text) => {
    if (answers.has(text)) return answers.get(text) as T;
    if (answers.size >= KEPT) answers.clear();
    const answer = read(text);
    answers.set(text, answer);
    return answer;
  };
}
