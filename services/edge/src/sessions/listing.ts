import { AckStatus, encodeGroupPage } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import { answerOf } from '../model/asker.ts';
import type { ConnectionTable } from '../model/connection-table.ts';
import type { Roster, Scope } from '../model/scope.ts';
import type { EdgeContext } from './edge-context.ts';
import type { HubClient } from './hub-client.ts';
import type { HubRuntime } from './hub-runtime.ts';

/** Slots looked at for one answer; above it a page is short, or even empty, and another one follows. */
const SLOTS_MAX = 50_000;
/** To ask a member for its slot costs what so many slots do that are asked for their member. */
const SLOTS_OF_MEMBER = 16;
/** Behind an at sign, the edge that the slot is of. */
const TOKEN = /^(\d{1,15})(?:@(.+))?$/s;

/** What is wanted: a page of so many connections of a scope, behind the page that the token is of. */
export interface Listing {
  readonly scope: Scope;
  readonly size: number;
  /** Undefined for the first page. */
  readonly token: string | undefined;
}

/** Where a listing goes on: at this slot of that edge. */
interface Place {
  readonly slot: number;
  readonly edgeId: string;
}

interface Page {
  readonly members: Iterable<HubClient>;
  readonly length: number;
  /** The slot at which the next page goes on; undefined after the last. */
  readonly next: number | undefined;
}

type ListingContext = Pick<EdgeContext, 'edgeId' | 'clients'>;

/**
 * Who is in a hub or a group, or is a user's (section 18.5), edge by edge in the order of their ids: the
 * token of a page names the edge that has the next one. An edge that has gone has no connections any
 * more, so the one behind it goes on. `body`: the service message that asks other edges for the same.
 */
export function listConnections(
  listing: Listing,
  body: Uint8Array,
  hub: HubRuntime,
  asker: Asker,
  context: ListingContext,
): void {
  const place = placeOf(listing.token);
  if (place === undefined) return asker.settle(BAD_TOKEN);
  const { edgeId: self } = context;
  const edges = [self, ...hub.others.edges].toSorted();
  const at = edges.find((edge) => edge >= place.edgeId);
  if (at === undefined) asker.settle(pageAnswer({ members: [], length: 0, next: undefined }));
  else if (at === self) asker.settle(ownPage(listing, hub, context));
  else hub.others.ask({ kind: 'edge', id: at }, 'anyFound', body, skipping(at, asker, hub));
}

/**
 * The page of this edge's own connections. What fits into one is one. More comes in the order of the slots
 * that the clients have in the edge's table: nothing is sorted, nothing is kept between two pages, and
 * they may be asked for on any server connection, or twice. A client keeps its slot as long as it
 * lives, so who is in the scope all the while is listed once; who comes or goes meanwhile is listed
 * once or not at all.
 */
export function ownPage(
  { scope, size, token }: Listing,
  hub: HubRuntime,
  context: ListingContext,
): Answer {
  const place = placeOf(token);
  if (place === undefined) return BAD_TOKEN;
  const { edgeId: self, clients } = context;
  const most = Math.max(1, size);
  const from = place.edgeId === self ? place.slot : 0;
  const roster = hub.model.roster(scope);
  const isWhole = from === 0 && roster.size <= most;
  const page: Page = isWhole
    ? { members: roster.members, length: roster.size, next: undefined }
    : pageFrom(from, most, roster, clients);
  return page.next === undefined
    ? pageAnswer(page, startAfter(self, hub.others.edges))
    : pageAnswer(page, { slot: page.next, edgeId: self });
}

/** Whether a text can be the token of a page. */
export function isPageToken(token: string): boolean {
  return TOKEN.test(token);
}

/** A listing without a token begins at the first edge, which every id comes behind. */
function placeOf(token: string | undefined): Place | undefined {
  if (token === undefined) return { slot: 0, edgeId: '' };
  const [, slot, edgeId = ''] = TOKEN.exec(token) ?? [];
  return slot === undefined ? undefined : { slot: Number(slot), edgeId };
}

function pageAnswer({ members, length }: Page, next?: Place): Answer {
  const token = next && `${next.slot}@${next.edgeId}`;
  return answerOf(AckStatus.Ok, '', encodeGroupPage(members, length, token));
}

/** The first place behind an edge; undefined behind the last one. */
function startAfter(edgeId: string, others: readonly string[]): Place | undefined {
  const next = others.toSorted().find((other) => other > edgeId);
  return next === undefined ? undefined : { slot: 0, edgeId: next };
}

/** Where the edge that was asked has gone, the listing goes on behind it. */
function skipping(edgeId: string, asker: Asker, hub: HubRuntime): Asker {
  return {
    settle: (answer) => {
      if (answer.status !== AckStatus.NotFound) return asker.settle(answer);
      const none = { members: [], length: 0, next: undefined };
      asker.settle(pageAnswer(none, startAfter(edgeId, hub.others.edges)));
    },
  };
}

/**
 * The members from a slot on. Of few members among many slots each is asked for its slot; where they are
 * many, slot after slot is asked for its member. So where members are spread evenly, a page costs what
 * some 20,000 slots do at most: that is of a thousand among a hundred thousand, and less of more or fewer.
 */
function pageFrom(
  from: number,
  most: number,
  roster: Roster<HubClient>,
  clients: ConnectionTable<HubClient>,
): Page {
  const isFew = SLOTS_OF_MEMBER * roster.size ** 2 < most * clients.slots;
  return isFew ? pageOfFew(from, most, roster, clients) : pageOfMany(from, most, roster, clients);
}

function pageOfFew(
  from: number,
  most: number,
  { members }: Roster<HubClient>,
  clients: ConnectionTable<HubClient>,
): Page {
  const left: { readonly slot: number; readonly member: HubClient }[] = [];
  for (const member of members) {
    const slot = clients.slotOf(member.id);
    if (slot >= from) left.push({ slot, member });
  }
  left.sort((one, other) => one.slot - other.slot);
  const page = left.slice(0, most).map(({ member }) => member);
  return { members: page, length: page.length, next: left[most]?.slot };
}

function pageOfMany(
  from: number,
  most: number,
  { has }: Roster<HubClient>,
  clients: ConnectionTable<HubClient>,
): Page {
  const page: HubClient[] = [];
  const end = Math.min(clients.slots, from + SLOTS_MAX);
  let slot = from;
  for (; slot < end && page.length < most; slot++) {
    const client = clients.at(slot);
    if (client !== undefined && has(client)) page.push(client);
  }
  const next = slot < clients.slots ? slot : undefined;
  return { members: page, length: page.length, next };
}

const BAD_TOKEN = answerOf(
  AckStatus.InternalServerError,
  'This continuation token is none of this service.',
);
