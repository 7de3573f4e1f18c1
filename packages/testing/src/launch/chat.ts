import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { startProcess } from './process.ts';
import type { StartedProcess } from './process.ts';

const MAIN = fileURLToPath(new URL('../../../../services/chat/dist/main.js', import.meta.url));

export interface ChatOptions {
  /** The edge's URL; it takes the development key. It need not be up yet. */
  edgeUrl: string;
  /** Where negotiate sends clients; the edge itself when not given. */
  clientUrl?: string;
  /** The port of the page; any free one when not given. */
  port?: number;
}

/** The chat sample in a process of its own, serving its page. The URL has no slash at its end. */
export interface StartedChat extends StartedProcess<string> {
  readonly url: string;
}

/**
 * Starts the built chat sample on 127.0.0.1. Every setting is a flag, so those of the surrounding
 * shell do not count. Rejects as `startProcess` does, and when the sample has not been built.
 */
export async function startChat(options: ChatOptions): Promise<StartedChat> {
  if (!existsSync(MAIN)) throw new Error('services/chat/dist is missing: run npm run build first');
  const { edgeUrl, clientUrl = edgeUrl, port = 0 } = options;
  const endpoint = formatConnectionString(edgeUrl, DEVELOPMENT_ACCESS_KEY);
  const flags = {
    '--host': '127.0.0.1',
    '--port': `${port}`,
    '--connection-string': `${endpoint}ClientEndpoint=${clientUrl};`,
    '--log-level': 'info',
  };
  const chat = await startProcess(process.execPath, [MAIN, ...Object.entries(flags).flat()], {
    name: 'chat',
    ready: listening,
  });
  return { ...chat, url: chat.ready };
}

/** Reads the log line that says where the page is. */
function listening(line: string): string | undefined {
  if (!line.includes('"chat listening"')) return undefined;
  return (JSON.parse(line) as { url: string }).url;
}
