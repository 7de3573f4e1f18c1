/** Ways in which the versions of the API write their paths, and answer. */
export type Style = 'preview' | 'v1' | 'dated';
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** What a body has to be; undefined: none is read. */
export type BodyKind = 'message' | 'item' | 'commands' | 'refresh' | 'token';

/** What is answered when all went well: nothing, a ServiceResponse, or what was asked for. */
export type AnswerKind =
  | 'nothing'
  | 'response'
  | 'page'
  | 'claims'
  | 'token'
  | 'result'
  | 'count'
  | 'list';

/** Query parameters beside `api-version`; each is a parameter of the OpenAPI document. */
export type QueryName =
  | 'application'
  | 'excluded'
  | 'reason'
  | 'ttl'
  | 'filter'
  | 'completed'
  | 'error'
  | 'maxpagesize'
  | 'top'
  | 'continuationToken'
  | 'cursor'
  | 'userId'
  | 'minutesToExpire';

export interface Operation {
  readonly summary: string;
  /** The version that has it first; of ours, the version of Trunkline. */
  readonly since: string;
  /** It is ours: Azure SignalR Service has nothing like it. */
  readonly beyondAzure?: true;
  readonly methods: readonly Method[];
  /** Below `/api` or `/api/v1`, or of the preview below `/api/v1-preview`; the first is the one to use. */
  readonly paths: readonly string[];
  readonly previewPaths?: readonly string[];
  /** The status when all went well, where the style has the operation; of `accessKey` the only one. */
  readonly success: Partial<Readonly<Record<Style, number>>>;
  readonly query?: readonly QueryName[];
  readonly body?: BodyKind;
  readonly answer: AnswerKind;
  /** The code of the 404 that says that what is named is not there, and the styles that say so, if not all. */
  readonly absent?: { readonly code: string; readonly styles?: readonly Style[] };
  /** No token is asked for. */
  readonly anonymous?: true;
}

const GET: readonly Method[] = ['HEAD', 'GET'];
const POST: readonly Method[] = ['POST'];
const PUT: readonly Method[] = ['PUT'];
const DELETE: readonly Method[] = ['DELETE'];
const SENT = { v1: 202, dated: 202, preview: 202 } as const;
const message = { methods: POST, body: 'message', answer: 'response', success: SENT } as const;
const check = {
  since: 'v1',
  methods: GET,
  success: { v1: 200, dated: 200 },
  query: ['application'],
  answer: 'nothing',
} as const;
const close = {
  since: '2022-06-01',
  methods: POST,
  success: { dated: 204 },
  query: ['application', 'excluded', 'reason'],
  answer: 'nothing',
} as const;

const beyond = {
  since: 'Trunkline 0.1.0, beyond Azure',
  beyondAzure: true,
  methods: ['GET'],
  success: { dated: 200 },
} as const;
const count = { ...beyond, query: ['application'], answer: 'count' } as const;
const list = { ...beyond, query: ['application', 'top', 'cursor'], answer: 'list' } as const;

/**
 * Every operation of the data-plane REST API (REST reference, sections 1.2 to 1.5), and those beyond it,
 * below `/api/x/`. Routing, the OpenAPI document and the test of all routes are made of this table.
 */
export const OPERATIONS = {
  health: {
    summary: 'Says whether the service can be reached.',
    since: 'v1',
    methods: GET,
    paths: ['/health'],
    success: { v1: 200, dated: 200 },
    answer: 'nothing',
    anonymous: true,
  },
  sendToAll: {
    ...message,
    summary: 'Sends a message to all clients of a hub, but for those that are left out.',
    since: 'v1-preview',
    paths: ['/hubs/{hub}/:send', '/hubs/{hub}'],
    previewPaths: ['/hub/{hub}'],
    query: ['application', 'excluded'],
  },
  sendToConnection: {
    ...message,
    summary: 'Sends a message to one connection.',
    since: 'v1',
    paths: [
      '/hubs/{hub}/connections/{connectionId}/:send',
      '/hubs/{hub}/connections/{connectionId}',
    ],
    query: ['application'],
  },
  sendToUser: {
    ...message,
    summary: 'Sends a message to all connections of a user.',
    since: 'v1-preview',
    paths: ['/hubs/{hub}/users/{user}/:send', '/hubs/{hub}/users/{user}'],
    previewPaths: ['/hub/{hub}/user/{user}'],
    query: ['application'],
  },
  sendToUsers: {
    ...message,
    summary: 'Sends a message to the users of a list with commas.',
    since: 'v1-preview',
    paths: [],
    previewPaths: ['/hub/{hub}/users/{users}'],
  },
  sendToGroup: {
    ...message,
    summary: 'Sends a message to a group, but for connections that are left out.',
    since: 'v1-preview',
    paths: ['/hubs/{hub}/groups/{group}/:send', '/hubs/{hub}/groups/{group}'],
    previewPaths: ['/hub/{hub}/group/{group}'],
    query: ['application', 'excluded'],
  },
  sendToGroups: {
    ...message,
    summary: 'Sends a message to the groups of a list with commas.',
    since: 'v1-preview',
    paths: [],
    previewPaths: ['/hub/{hub}/groups/{groups}'],
  },
  connectionExists: {
    ...check,
    summary: 'Says whether a connection is open.',
    paths: ['/hubs/{hub}/connections/{connectionId}'],
    absent: { code: 'Warning.Connection.NotExisted' },
  },
  groupExists: {
    ...check,
    summary: 'Says whether a group has a connection.',
    paths: ['/hubs/{hub}/groups/{group}'],
    absent: { code: 'Warning.Group.NotExisted' },
  },
  userExists: {
    ...check,
    summary: 'Says whether a user has a connection.',
    paths: ['/hubs/{hub}/users/{user}'],
    absent: { code: 'Warning.User.NotExisted' },
  },
  userIsInGroup: {
    ...check,
    summary: 'Says whether a user is in a group.',
    paths: ['/hubs/{hub}/users/{user}/groups/{group}', '/hubs/{hub}/groups/{group}/users/{user}'],
    absent: { code: 'Info.User.NotInGroup' },
  },
  addConnectionToGroup: {
    summary: 'Adds a connection to a group.',
    since: 'v1',
    methods: PUT,
    paths: [
      '/hubs/{hub}/groups/{group}/connections/{connectionId}',
      '/hubs/{hub}/connections/{connectionId}/groups/{group}',
    ],
    success: { v1: 200, dated: 200 },
    query: ['application'],
    answer: 'response',
    absent: { code: 'Error.Connection.NotExisted' },
  },
  removeConnectionFromGroup: {
    summary: 'Removes a connection from a group.',
    since: 'v1',
    methods: DELETE,
    paths: [
      '/hubs/{hub}/groups/{group}/connections/{connectionId}',
      '/hubs/{hub}/connections/{connectionId}/groups/{group}',
    ],
    success: { v1: 200, dated: 200 },
    query: ['application'],
    answer: 'response',
    // The .NET SDK, which calls the dated versions, takes no 404 here (section 11, trap 7).
    absent: { code: 'Error.Connection.NotExisted', styles: ['v1'] },
  },
  removeConnectionFromAllGroups: {
    summary: 'Removes a connection from all groups that it is in.',
    since: '2022-06-01',
    methods: DELETE,
    paths: ['/hubs/{hub}/connections/{connectionId}/groups'],
    success: { dated: 200 },
    query: ['application'],
    answer: 'response',
  },
  addUserToGroup: {
    summary:
      'Adds a user to a group: its connections of now, and those that it makes later, for so many seconds.',
    since: 'v1',
    methods: PUT,
    paths: ['/hubs/{hub}/users/{user}/groups/{group}', '/hubs/{hub}/groups/{group}/users/{user}'],
    success: { v1: 202, dated: 200 },
    query: ['application', 'ttl'],
    answer: 'response',
  },
  removeUserFromGroup: {
    summary: 'Removes a user from a group.',
    since: 'v1',
    methods: DELETE,
    paths: ['/hubs/{hub}/users/{user}/groups/{group}', '/hubs/{hub}/groups/{group}/users/{user}'],
    success: { v1: 202, dated: 204 },
    query: ['application'],
    answer: 'nothing',
  },
  removeUserFromAllGroups: {
    summary: 'Removes a user from all groups.',
    since: 'v1',
    methods: DELETE,
    paths: ['/hubs/{hub}/users/{user}/groups'],
    success: { v1: 200, dated: 204 },
    query: ['application'],
    answer: 'nothing',
  },
  closeConnection: {
    summary: 'Closes a connection.',
    since: 'v1',
    methods: DELETE,
    paths: ['/hubs/{hub}/connections/{connectionId}'],
    success: { v1: 202, dated: 200 },
    query: ['application', 'reason'],
    answer: 'response',
    absent: { code: 'Warning.Connection.NotExisted', styles: ['dated'] },
  },
  closeConnections: {
    ...close,
    summary: 'Closes all connections of a hub, but for those that are left out.',
    paths: ['/hubs/{hub}/:closeConnections'],
  },
  closeGroupConnections: {
    ...close,
    summary: 'Closes all connections of a group, but for those that are left out.',
    paths: ['/hubs/{hub}/groups/{group}/:closeConnections'],
  },
  closeUserConnections: {
    ...close,
    summary: 'Closes all connections of a user, but for those that are left out.',
    paths: ['/hubs/{hub}/users/{user}/:closeConnections'],
  },
  generateToken: {
    summary: 'Makes an access token for a client, signed with the first key of the service.',
    since: '2022-11-01',
    methods: POST,
    paths: ['/hubs/{hub}/:generateToken'],
    success: { dated: 200 },
    query: ['application', 'userId', 'minutesToExpire'],
    answer: 'token',
  },
  accessKey: {
    summary:
      'Tells the access key to who signs in by Microsoft Entra, which this service does not serve.',
    since: '2023-07-01',
    methods: ['GET'],
    paths: ['/auth/accessKey'],
    success: { v1: 401, dated: 401 },
    answer: 'nothing',
  },
  execute: {
    summary: 'Runs commands, one after the other, for all connections that a filter chooses.',
    since: '2023-07-01',
    methods: POST,
    paths: ['/hubs/{hub}/:execute'],
    success: { dated: 202 },
    query: ['application', 'filter'],
    body: 'commands',
    answer: 'nothing',
  },
  invoke: {
    summary: 'Calls a method of one client, and answers what that returns.',
    since: '2024-12-01',
    methods: POST,
    paths: ['/hubs/{hub}/connections/{connectionId}/:invoke'],
    success: { dated: 200 },
    query: ['application'],
    body: 'message',
    answer: 'result',
    absent: { code: 'Error.Connection.NotExisted', styles: ['dated'] },
  },
  sendStreamItem: {
    summary:
      'Sends an item of a stream that a client reads, and ends the stream if that is the last.',
    since: '2024-12-01',
    methods: POST,
    paths: ['/hubs/{hub}/connections/{connectionId}/streams/{streamId}/:send'],
    success: { dated: 202 },
    query: ['application', 'completed'],
    body: 'item',
    answer: 'response',
  },
  completeStream: {
    summary: 'Ends a stream that a client reads, with an error if one is given.',
    since: '2024-12-01',
    methods: POST,
    paths: ['/hubs/{hub}/connections/{connectionId}/streams/{streamId}/:complete'],
    success: { dated: 202 },
    query: ['application', 'error', 'reason'],
    answer: 'response',
  },
  listGroupConnections: {
    summary: 'Lists the connections of a group, page by page.',
    since: '2024-12-01',
    methods: ['GET'],
    paths: ['/hubs/{hub}/groups/{group}/connections'],
    success: { dated: 200 },
    query: ['application', 'maxpagesize', 'top', 'continuationToken'],
    answer: 'page',
  },
  refreshAuth: {
    summary: 'Gives a connection the claims of a new sign-in, and the time when that ends.',
    since: '2026-07-01',
    methods: POST,
    paths: ['/hubs/{hub}/connections/:refreshAuth'],
    success: { dated: 200 },
    query: ['application'],
    body: 'refresh',
    answer: 'claims',
    absent: { code: 'ConnectionNotFound', styles: ['dated'] },
  },
  getClaims: {
    summary: 'Tells the claims of a connection.',
    since: '2026-07-01',
    methods: POST,
    paths: ['/hubs/{hub}/connections/claims'],
    success: { dated: 200 },
    query: ['application'],
    body: 'token',
    answer: 'claims',
    absent: { code: 'ConnectionNotFound', styles: ['dated'] },
  },
  countHub: {
    ...count,
    summary: 'Counts the connections of a hub.',
    paths: ['/x/hubs/{hub}/count'],
  },
  countGroup: {
    ...count,
    summary: 'Counts the connections of a group.',
    paths: ['/x/hubs/{hub}/groups/{group}/count'],
  },
  countUser: {
    ...count,
    summary: 'Counts the connections of a user.',
    paths: ['/x/hubs/{hub}/users/{user}/count'],
  },
  listHub: {
    ...list,
    summary: 'Lists the connections of a hub, page by page.',
    paths: ['/x/hubs/{hub}/connections'],
  },
  listGroup: {
    ...list,
    summary: 'Lists the connections of a group, page by page.',
    paths: ['/x/hubs/{hub}/groups/{group}/connections'],
  },
  listUser: {
    ...list,
    summary: 'Lists the connections of a user, page by page.',
    paths: ['/x/hubs/{hub}/users/{user}/connections'],
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationId = keyof typeof OPERATIONS;
export const OPERATION_IDS = Object.keys(OPERATIONS) as OperationId[];
