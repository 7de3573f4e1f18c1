import { jsonItems, jsonMembers, encodeServiceBody } from '@trunkline/protocol';
import type { Asker } from '../../model/asker.ts';
import type { Step } from '../../model/command.ts';
import { FilterError, parseFilter } from '../../model/filter.ts';
import { filteredMessage } from '../filtered-commands.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { invocationPayloads, jsonMessage, jsonText } from './message-body.ts';
import { checkName, textOf } from './parameters.ts';
import type { RestCall } from './rest-call.ts';
import { invalid } from './rest-error.ts';

const MOST_COMMANDS = 100;
const NONE = Buffer.from('null');

/** Runs commands for all connections that a filter chooses (REST reference, section 1.5). */
export function execute(call: RestCall, hub: HubRuntime, body: Buffer, asker: Asker): void {
  const filter = textOf(call.request, 'filter') ?? '';
  const chosen = readFilter(filter);
  const steps = readSteps(body);
  const message = filteredMessage(filter, steps);
  hub.execute({ kind: 'filtered', chosen, steps }, encodeServiceBody(message), asker);
}

function readFilter(text: string): ReturnType<typeof parseFilter> {
  try {
    return parseFilter(text);
  } catch (error) {
    if (error instanceof FilterError) throw invalid(error.message);
    throw error;
  }
}

function readSteps(body: Buffer): Step[] {
  const commands = jsonItems(jsonText(body));
  if (commands === undefined) throw invalid('The body is an array of commands.');
  if (commands.length > MOST_COMMANDS)
    throw invalid(`There are ${MOST_COMMANDS} commands at most.`);
  return commands.map(stepOf);
}

function stepOf(json: Buffer): Step {
  const members = jsonMembers(json);
  switch (textMember(members, 'type')) {
    case 'SendMessage':
      return {
        kind: 'send',
        payloads: invocationPayloads(jsonMessage(members!.get('message') ?? NONE)),
      };
    case 'JoinGroup':
      return { kind: 'join', group: groupOf(members) };
    case 'LeaveGroup':
      return { kind: 'leave', group: groupOf(members) };
    case 'CloseConnection':
      return { kind: 'close', reason: textMember(members, 'reason') };
    default:
      throw invalid(
        'The type of a command is SendMessage, JoinGroup, LeaveGroup or CloseConnection.',
      );
  }
}

type Members = ReturnType<typeof jsonMembers>;

function groupOf(members: Members): string {
  const group = textMember(members, 'group') ?? '';
  checkName('group', group);
  return group;
}

function textMember(members: Members, name: string): string | undefined {
  const json = members?.get(name);
  const value: unknown = json && JSON.parse(json.toString());
  return typeof value === 'string' ? value : undefined;
}
