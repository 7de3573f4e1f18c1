import { decodeGroupPage, MessageType } from '@trunkline/protocol';

import type { Line } from '../endpoints/line.ts';
import type { SendTarget } from '../endpoints/router.ts';
import { badOptions, TrunklineError } from '../errors.ts';
import { checkOptions } from '../option-tables/check.ts';
import { PAGE_OPTIONS } from '../option-tables/tables.ts';
import { groupName, name } from '../sending/destination.ts';
import { unheeded } from '../unheeded.ts';
import { groupMembers } from './group-members.ts';
import type {
  GroupManager,
  GroupMember,
  GroupPage,
  ListOptions,
  PageOptions,
} from './hub-manager.ts';
import type { ServiceRequest, ServiceRequests } from './service-requests.ts';

const GONE = 'the endpoint at which the list of the group goes on is not connected';

/** Which connections are in which groups. Membership ends with the connection. */
export class Groups implements GroupManager {
  readonly #requests: ServiceRequests;

  constructor(requests: ServiceRequests) {
    this.#requests = requests;
  }

  /**
   * Resolves once whatever is sent to the group reaches the connection too, also when the connection
   * is unknown. Rejects with TrunklineError `ack-timeout` after 10 s.
   */
  add(connectionId: string, group: string): Promise<void> {
    const type = MessageType.JoinGroupWithAck;
    return this.#change(connectionId, () => ({
      type,
      connectionId: name(connectionId),
      group: groupName(group),
    }));
  }

  /** The opposite of `add`, with the same promise. */
  remove(connectionId: string, group: string): Promise<void> {
    return this.#leave(connectionId, () => groupName(group));
  }

  /** Takes the connection out of every group, with the same promise. */
  removeFromAll(connectionId: string): Promise<void> {
    return this.#leave(connectionId, () => undefined);
  }

  /**
   * The connections of a group, asked for page by page as they are read, endpoint after endpoint. Who
   * joins or leaves meanwhile may be listed or not; nobody is listed twice.
   */
  connections(group: string, options: ListOptions = {}): AsyncGenerator<GroupMember> {
    return groupMembers((page) => this.page(group, page), options);
  }

  /** One page; the token of the last is undefined. A token is good for the same group only. */
  async page(group: string, options: PageOptions = {}): Promise<GroupPage> {
    checkOptions('groups.page', PAGE_OPTIONS, options);
    const { size: maxPageSize, continuationToken } = options;
    const target: SendTarget = { kind: 'groups', names: [groupName(group)] };
    const lines = this.#requests.linesAbout(target);
    const from = placeOf(continuationToken, lines);
    const line = lines[from.at];
    if (line === undefined) throw new TrunklineError('not-connected', GONE);
    const type = MessageType.GroupMemberQuery;
    const message = { type, group, top: undefined, continuationToken: from.token, maxPageSize };
    const what = `listing group '${group}'`;
    const { payload } = await this.#requests.at(line, group, { message, what });
    const page = decodeGroupPage(payload);
    return { members: page.members, continuationToken: nextPlace(lines, from.at, page.next) };
  }

  #leave(connectionId: string, group: () => string | undefined): Promise<void> {
    const type = MessageType.LeaveGroupWithAck;
    return this.#change(connectionId, () => ({
      type,
      connectionId: name(connectionId),
      group: group(),
    }));
  }

  #change(connectionId: string, message: () => ServiceRequest['message']): Promise<void> {
    const work = async () => {
      const what = 'joining or leaving the group';
      // Not found is no error: the connection has gone, and its groups with it.
      await this.#requests.ofConnection(connectionId, { message: message(), what });
    };
    return unheeded(work());
  }
}

/** Where the next page is: an endpoint, by name since others may come and go, and its own token. */
function nextPlace(
  lines: readonly Line[],
  at: number,
  token: string | undefined,
): string | undefined {
  if (token !== undefined) return JSON.stringify([lines[at]!.name, token]);
  const next = lines[at + 1];
  return next && JSON.stringify([next.name]);
}

function placeOf(
  continuationToken: string | undefined,
  lines: readonly Line[],
): { at: number; token: string | undefined } {
  if (continuationToken === undefined) return { at: 0, token: undefined };
  const [endpoint, token] = readToken(continuationToken);
  const at = lines.findIndex(({ name: known }) => known === endpoint);
  return { at, token };
}

function readToken(text: string): [endpoint: string, token: string | undefined] {
  try {
    const [endpoint, token] = JSON.parse(text) as unknown[];
    if (typeof endpoint === 'string' && (token === undefined || typeof token === 'string')) {
      return [endpoint, token];
    }
  } catch {
    // Said below.
  }
  throw badOptions('continuationToken is not that of a page of this group');
}
