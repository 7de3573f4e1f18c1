import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { openApi } from './openapi.ts';
import { ROUTES } from './routes.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  readonly tags: readonly string[];
  readonly deprecated?: boolean;
}

type Content = Readonly<Record<string, { readonly schema: Readonly<Record<string, string>> }>>;

const document = openApi('1.2.3');
const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the OpenAPI document', () => {
  test('is one', async () => {
    const { valid, errors } = await new Validator().validate({ ...document });
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  test('has each route once, and no other', () => {
    const routes = ROUTES.map(({ method, template }) => `${method.toLowerCase()} ${template}`);
    expect(operations.map(({ path, method }) => `${method} ${path}`).toSorted()).toEqual(
      routes.toSorted(),
    );
  });

  test('gives each an id of its own, a summary and a tag that is told of', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^\w+$/);
    const tags = (document['tags'] as { name: string }[]).map(({ name }) => name);
    for (const { operation } of operations) {
      expect(operation.summary).toMatch(/^[A-Z].*\.$/);
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
    }
  });

  test('names the parameters that are in the path, and answers that can be', () => {
    for (const { path, operation } of operations) {
      const named = operation.parameters.flatMap((one) => (one.in === 'path' ? [one.name] : []));
      expect(path.match(/(?<=\{)\w+/g) ?? []).toEqual(named);
      expect(Object.keys(operation.responses)).not.toEqual([]);
    }
  });

  test('refers to nothing that is not there', () => {
    const { schemas } = document['components'] as { schemas: object };
    const text = JSON.stringify(document);
    const referred = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name!,
    );
    expect(new Set(referred)).toEqual(new Set(Object.keys(schemas)));
  });

  test('says where the API is, and that a token is asked for', () => {
    expect(document).toMatchObject({
      servers: [{ url: '/' }],
      security: [{ accessToken: [] }],
      components: {
        securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
    });
    const open = operations.filter(({ operation }) => 'security' in operation);
    expect(open.map(({ path, method }) => `${method} ${path}`).toSorted()).toEqual([
      'get /api/health',
      'get /api/v1/health',
      'head /api/health',
      'head /api/v1/health',
    ]);
  });

  const failing = (...statuses: number[]) => statuses.map((status) => `${status} json:ErrorDetail`);
  const anyBody = ['x-msgpack:string', 'octet-stream:string'];

  test.each([
    ['head /api/health', 'health', ['dated'], ['api-version'], [], ['200']],
    ['get /api/v1/health', 'v1_health_GET', ['v1'], [], [], ['200']],
    ['get /api/auth/accessKey', 'accessKey', ['dated'], ['api-version'], [], ['401']],
    [
      'post /api/hubs/{hub}/connections/{connectionId}/:invoke',
      'invoke',
      ['dated'],
      ['application', 'api-version'],
      ['json:Message', ...anyBody],
      [
        '200 json:ClientResult octet-stream:string',
        '401',
        ...failing(400, 404, 413, 429, 500, 503, 504),
      ],
    ],
    [
      'post /api/v1/hubs/{hub}',
      'v1_sendToAll_hubs_hub',
      ['v1', 'deprecated'],
      ['excluded'],
      ['json:Message', ...anyBody],
      ['202', '400', '401', '413', '500', '503'],
    ],
    [
      'post /api/hubs/{hub}/:send',
      'sendToAll',
      ['dated'],
      ['application', 'excluded', 'api-version'],
      ['json:Message', ...anyBody],
      ['202 json:ServiceResponse', '401', ...failing(400, 413, 500, 503)],
    ],
    [
      'head /api/hubs/{hub}/groups/{group}',
      'groupExists',
      ['dated'],
      ['application', 'api-version'],
      [],
      ['200', '400', '401', '404', '500', '503'],
    ],
    [
      'get /api/hubs/{hub}/groups/{group}/connections',
      'listGroupConnections',
      ['dated'],
      ['application', 'maxpagesize', 'top', 'continuationToken', 'api-version'],
      [],
      ['200 json:GroupPage', '401', ...failing(400, 500, 503)],
    ],
    [
      'get /api/x/hubs/{hub}/connections',
      'listHub',
      ['beyond'],
      ['application', 'top', 'cursor'],
      [],
      ['200 json:ConnectionPage', '401', ...failing(400, 500, 503)],
    ],
    [
      'post /api/hubs/{hub}/connections/:refreshAuth',
      'refreshAuth',
      ['dated'],
      ['application', 'api-version'],
      ['json:AuthRefresh'],
      ['200 json:ClaimSet', '401', ...failing(400, 403, 404, 413, 500, 503)],
    ],
    [
      'post /api/hubs/{hub}/:execute',
      'execute',
      ['dated'],
      ['application', 'filter', 'api-version'],
      ['json:array'],
      ['202', '401', ...failing(400, 413, 500, 503)],
    ],
    [
      'post /api/hubs/{hub}/connections/{connectionId}/streams/{streamId}/:send',
      'sendStreamItem',
      ['dated'],
      ['application', 'completed', 'api-version'],
      ['json:anything', ...anyBody],
      ['202 json:ServiceResponse', '401', ...failing(400, 413, 500, 503)],
    ],
  ])('tells of %s', (what, id, tags, query, body, answers) => {
    const [method, path] = what.split(' ', 2) as [string, string];
    const operation = paths[path]![method]!;
    const { parameters, requestBody, responses } = operation;
    expect(operation.operationId).toBe(id);
    expect(marksOf(operation)).toEqual(tags);
    const named = parameters.flatMap((one) => (one.in === 'query' ? [one.name] : []));
    expect(named).toEqual(query);
    expect(schemasOf(requestBody?.content)).toEqual(body);
    const told = Object.entries(responses).map(([status, { content }]) =>
      [status, ...schemasOf(content)].join(' '),
    );
    expect(told).toEqual(answers.toSorted());
  });

  test('has a bound for pages where there is one', () => {
    const topOf = (path: string) =>
      paths[path]!['get']!.parameters.find(({ name }) => name === 'top');
    expect(topOf('/api/x/hubs/{hub}/connections')).toMatchObject({
      schema: { minimum: 1, maximum: 200, default: 200 },
    });
    expect(topOf('/api/hubs/{hub}/groups/{group}/connections')).toMatchObject({
      schema: { type: 'integer', minimum: 0 },
    });
  });

  test('wants each body that there is', () => {
    const bodies = operations.flatMap(({ operation }) => operation.requestBody ?? []);
    expect(bodies.map(({ required }) => required)).toEqual(bodies.map(() => true));
  });
});

function marksOf({ tags, deprecated }: Operation): string[] {
  return deprecated === true ? [...tags, 'deprecated'] : [...tags];
}

/** Content types, each with the name of its schema, or else the type. */
function schemasOf(content: Content = {}): string[] {
  return Object.entries(content).map(([contentType, { schema }]) => {
    const name = schema['$ref']?.split('/').at(-1) ?? schema['type'] ?? 'anything';
    return `${contentType.replace('application/', '')}:${name}`;
  });
}
