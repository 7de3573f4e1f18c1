import type { KeptEdge } from './kept-edge.ts';

/** What an edge has answered at its admin port. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Question {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer<ArrayBuffer> | undefined;
  /** An edge that is later, in milliseconds, has not answered. */
  readonly withinMs: number;
}

const NO_ANSWER: Answer = { status: 503, body: 'no answer' };

/** Asks the admin ports of edges, all at once. Whoever is not there, or late, has answered 503. */
export function askAll(
  edges: readonly Pick<KeptEdge, 'adminUrl'>[],
  question: Question,
): Promise<Answer[]> {
  return Promise.all(edges.map(({ adminUrl }) => ask(adminUrl, question)));
}

/** Whether an edge answers 200: known as soon as one has, else when each has answered or is late. */
export function anyAnswers200(
  edges: readonly Pick<KeptEdge, 'adminUrl'>[],
  question: Question,
): Promise<boolean> {
  const asked = edges.map(async ({ adminUrl }) => {
    const { status } = await ask(adminUrl, question);
    if (status !== 200) throw new Error(`answered ${status}`);
  });
  return Promise.any(asked).then(
    () => true,
    () => false,
  );
}

/** Never rejects: see `askAll`. */
export async function ask(adminUrl: string | undefined, question: Question): Promise<Answer> {
  if (adminUrl === undefined) return NO_ANSWER;
  const { path, method = 'GET', headers, body, withinMs } = question;
  try {
    const response = await fetch(`${adminUrl}${path}`, {
      method,
      // A connection that is kept would be one to an edge that may have ended since.
      headers: { ...headers, connection: 'close' },
      body: body ?? null,
      signal: AbortSignal.timeout(withinMs),
    });
    return { status: response.status, body: await response.text() };
  } catch {
    return NO_ANSWER;
  }
}
