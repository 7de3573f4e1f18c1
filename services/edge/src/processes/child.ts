/**
 * A process that is one edge of a parent: `child.js <edge id> <public port> <arguments of the parent>`.
 * Other edges listen on the same port, and its admin port is any free one, for the parent alone.
 */
import { runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { readConfig } from '../config.ts';
import { runEdge } from '../run-edge.ts';
import type { FromEdge } from './messages.ts';

const [edgeId = '', port = '', ...argv] = process.argv.slice(2);
const sources = { argv, env: process.env };
let endWith: (why: string) => void = () => {};
const cannotGoOn = new Promise<string>((resolve) => (endWith = resolve));

async function start(): Promise<Running | undefined> {
  try {
    const own = { edgeId, port: Number(port), adminHost: '127.0.0.1', adminPort: 0 };
    const { failed, ...edge } = await runEdge({ ...readConfig(sources), ...own }, sources);
    failed.catch((error: SettingsError) => refuse(error).then(endWith));
    await tell({ listening: edge.adminUrl });
    return edge;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    await refuse(error);
    return undefined;
  }
}

/** It is for the parent to say what has to be changed. */
async function refuse({ message }: SettingsError): Promise<string> {
  await tell({ refused: message });
  return message;
}

/** Resolves also where the parent has ended, which `stopRequest` notices. */
function tell(message: FromEdge): Promise<void> {
  return new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}

const stopping = Promise.race([stopRequest(process), cannotGoOn]);
await runProcess('trunkline-edge', start, stopping);
