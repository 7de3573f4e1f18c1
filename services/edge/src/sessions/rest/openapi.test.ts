import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { openApi } from './openapi.ts';
import { ROUTES } from './routes.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
}

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
});
