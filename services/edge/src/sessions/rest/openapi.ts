import type { AnswerKind, BodyKind, QueryName } from './operations.ts';
import type { Route } from './routes.ts';
import { ROUTES } from './routes.ts';

type Schema = Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI document of the REST API, made of the table of routes. */
export function openApi(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Trunkline data-plane REST API',
      version,
      description:
        'The data-plane REST API of Azure SignalR Service, as this service has it. Versions are named by the path (v1) or by `api-version`; all dated versions are served alike.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ accessToken: [] }],
    tags: [
      { name: 'dated', description: 'The versions that `api-version` names.' },
      { name: 'v1', description: 'Version 1.' },
      { name: 'preview', description: 'The preview of version 1.' },
      { name: 'beyond', description: 'What Azure SignalR Service does not have, in no version.' },
    ],
    paths: paths(),
    components: {
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'Signed with an access key; its audience is the URL of the call, without the query.',
        },
      },
      schemas: SCHEMAS,
    },
  };
}

function paths(): Json {
  const all: Record<string, Record<string, Json>> = {};
  for (const route of ROUTES) {
    const path = (all[route.template] ??= {});
    path[route.method.toLowerCase()] = operationOf(route);
  }
  return all;
}

function operationOf(route: Route): Json {
  const { operation, style } = route;
  const body = operation.body && requestBody(operation.body);
  return {
    operationId: operationIdOf(route),
    summary: operation.summary,
    description: `Since ${operation.since}.`,
    tags: [operation.beyondAzure === true ? 'beyond' : style],
    ...(route.isAlias ? { deprecated: true } : {}),
    ...(operation.anonymous === true ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responsesOf(route),
  };
}

/** One operation has several paths, methods and styles, and each of them an id of its own. */
function operationIdOf({ id, style, method, operation, isAlias, template }: Route): string {
  const ofStyle = style === 'dated' ? id : `${style}_${id}`;
  const ofMethod = operation.methods[0] === method ? ofStyle : `${ofStyle}_${method}`;
  return isAlias
    ? `${ofMethod}_${template.split('/').slice(-2).join('_').replaceAll(/\W+/g, '')}`
    : ofMethod;
}

function parametersOf({ template, style, operation }: Route): Json[] {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const inPath = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: NAMES[name] ?? NAME,
  }));
  const query = (operation.query ?? []).filter(
    (name) => style === 'dated' || name !== 'application',
  );
  const isOurs = operation.beyondAzure === true;
  const known = isOurs ? { ...QUERY, top: OUR_TOP } : QUERY;
  const inQuery = query.map((name) => ({ name, in: 'query', ...known[name] }));
  if (style !== 'dated' || isOurs) return [...inPath, ...inQuery];
  return [...inPath, ...inQuery, { name: 'api-version', in: 'query', schema: VERSION }];
}

const NAME: Schema = { type: 'string', minLength: 1, maxLength: 1024 };
const HUB: Schema = {
  type: 'string',
  pattern: '^[A-Za-z][A-Za-z0-9_`,.[\\]]{0,127}$',
};
const NAMES: Readonly<Record<string, Schema>> = {
  hub: HUB,
  streamId: { type: 'string', minLength: 1, maxLength: 100 },
  users: { type: 'string', description: 'With commas between.' },
  groups: { type: 'string', description: 'With commas between.' },
};
const VERSION: Schema = {
  type: 'string',
  examples: ['2022-06-01', '2022-11-01', '2023-07-01', '2024-12-01', '2026-07-01'],
};

const QUERY: Readonly<Record<QueryName, Json>> = {
  application: {
    schema: HUB,
    description: 'Goes before the name of the hub, as `application_hub`.',
  },
  excluded: {
    schema: { type: 'array', items: { type: 'string' } },
    explode: true,
    description: 'Ids of connections that are left out; one for each time the name is given.',
  },
  reason: { schema: { type: 'string' }, description: 'The error that clients are closed with.' },
  ttl: {
    schema: { type: 'integer', minimum: 0 },
    description:
      'Seconds for which connections that the user makes later join too; 0: none of them. Without it, a year.',
  },
  filter: {
    schema: { type: 'string' },
    description:
      "Over `userId`, `connectionId` and `groups`: `startswith(userId, 'a') and not ('g' in groups)`.",
  },
  completed: { schema: { type: 'boolean', default: false }, description: 'It is the last item.' },
  error: { schema: { type: 'string' }, description: 'The error that the stream ends with.' },
  maxpagesize: {
    schema: { type: 'integer', minimum: 1, maximum: 200, default: 200 },
    description: 'The most on one page.',
  },
  top: { schema: { type: 'integer', minimum: 0 }, description: 'The most on all pages.' },
  continuationToken: {
    schema: { type: 'string' },
    description: 'Of the page before; `nextLink` has it.',
  },
  cursor: { schema: { type: 'string' }, description: 'Of the page before.' },
  userId: { schema: { type: 'string' }, description: 'Of the client.' },
  minutesToExpire: { schema: { type: 'integer', minimum: 1, default: 60 } },
};

/** Of lists beyond Azure, where it is the size of a page. */
const OUR_TOP: Json = {
  schema: { type: 'integer', minimum: 1, maximum: 200, default: 200 },
  description: 'The most on this page.',
};

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Json): Json => ({ 'application/json': { schema } });
const OCTETS = { schema: { type: 'string', contentEncoding: 'binary' } };

function requestBody(kind: BodyKind): Json {
  switch (kind) {
    case 'message':
      return { required: true, content: messageContent(ref('Message')) };
    case 'item':
      return { required: true, content: messageContent({}) };
    case 'commands':
      return {
        required: true,
        content: json({ type: 'array', maxItems: 100, items: ref('Command') }),
      };
    case 'refresh':
      return { required: true, content: json(ref('AuthRefresh')) };
    case 'token':
      return { required: true, content: json(ref('ConnectionToken')) };
  }
}

function messageContent(schema: Json): Json {
  return {
    ...json(schema),
    'application/x-msgpack': OCTETS,
    'application/octet-stream': OCTETS,
  };
}

/** Those that an operation can have; 401, 413 and the like are the same for all. */
function responsesOf({ success, style, operation, absent, method, id }: Route): Json {
  const content = method === 'HEAD' ? {} : answerContent(operation.answer, style === 'dated');
  const responses: Record<string, Json> = {};
  responses[success] = { description: 'Done, or accepted.', ...content };
  if (operation.anonymous === true) return responses;
  responses['401'] = { description: 'The token is none for this path.' };
  if (id === 'accessKey') return responses;
  const failure = failureContent(style === 'dated' && method !== 'HEAD');
  responses['400'] = { description: 'The request is wrong.', ...failure };
  if (absent !== undefined) responses['404'] = { description: `\`${absent}\`.`, ...failure };
  if (id === 'refreshAuth') {
    responses['403'] = { description: 'The claims are of another user.', ...failure };
  }
  if (operation.body !== undefined) {
    responses['413'] = { description: 'The body is longer than 1 MB.', ...failure };
  }
  if (operation.answer === 'result') {
    responses['429'] = { description: 'Too many results are awaited.', ...failure };
    responses['504'] = { description: 'The client did not answer in time.', ...failure };
  }
  responses['500'] = { description: 'Another edge did not answer in time.', ...failure };
  responses['503'] = { description: 'Nothing was done: try again.', ...failure };
  return responses;
}

function answerContent(kind: AnswerKind, isDated: boolean): Json {
  switch (kind) {
    case 'nothing':
      return {};
    case 'response':
      return isDated ? { content: json(ref('ServiceResponse')) } : {};
    case 'page':
      return { content: json(ref('GroupPage')) };
    case 'list':
      return { content: json(ref('ConnectionPage')) };
    case 'count':
      return { content: json(ref('ConnectionCount')) };
    case 'claims':
      return { content: json(ref('ClaimSet')) };
    case 'token':
      return { content: json(ref('AccessToken')) };
    case 'result':
      return { content: { ...json(ref('ClientResult')), 'application/octet-stream': OCTETS } };
  }
}

function failureContent(isDated: boolean): Json {
  return isDated ? { content: json(ref('ErrorDetail')) } : {};
}

const TEXT: Schema = { type: 'string' };
const object = (
  properties: Json,
  required: readonly string[] = Object.keys(properties),
): Schema => ({
  type: 'object',
  properties,
  required,
});

const SCHEMAS: Json = {
  Message: object(
    { target: { ...TEXT, minLength: 1 }, arguments: { type: ['array', 'null'], items: {} } },
    ['target'],
  ),
  Command: {
    oneOf: [
      object({ type: { const: 'SendMessage' }, message: ref('Message') }),
      object({ type: { const: 'JoinGroup' }, group: NAME }),
      object({ type: { const: 'LeaveGroup' }, group: NAME }),
      object({ type: { const: 'CloseConnection' }, reason: TEXT }, ['type']),
    ],
  },
  ConnectionToken: object({ connectionToken: TEXT }),
  AuthRefresh: object(
    {
      connectionToken: TEXT,
      expireTime: { type: ['string', 'null'], format: 'date-time' },
      claims: { type: ['array', 'null'], items: ref('Claim') },
    },
    ['connectionToken'],
  ),
  Claim: object({ type: TEXT, value: TEXT }),
  ClaimSet: object({ claims: { type: 'array', items: ref('Claim') } }),
  AccessToken: object({ token: TEXT }),
  ClientResult: {
    description:
      'What the client returns; `error` where it fails; `protocol` where its hub protocol is neither JSON nor MessagePack, and `result` base64.',
    ...object({ result: {}, error: TEXT, protocol: TEXT }, []),
  },
  GroupMember: object({ connectionId: TEXT, userId: TEXT }, ['connectionId']),
  GroupPage: object(
    { value: { type: 'array', items: ref('GroupMember') }, nextLink: { ...TEXT, format: 'uri' } },
    ['value'],
  ),
  ConnectionPage: object(
    {
      value: { type: 'array', items: ref('GroupMember') },
      cursor: { ...TEXT, description: 'Asks for the next page; absent on the last.' },
      nextLink: { ...TEXT, format: 'uri' },
    },
    ['value'],
  ),
  ConnectionCount: object({
    count: { type: 'integer', minimum: 0 },
    version: { ...TEXT, description: 'While it is the same, the connections are the same.' },
  }),
  ServiceResponse: { type: 'object' },
  ErrorDetail: object({ code: TEXT, message: TEXT }),
};
