import { clientErrorText, HubError, InvalidDataException } from '../errors.ts';
import type { Schema } from '../hubs/hub-methods.ts';
import type { MethodChecks } from '../hubs/method-table.ts';
import type { InvocationMessage } from '../protocols/index.ts';
import { isYes } from './authorization.ts';
import { callErrors } from './call-errors.ts';
import type { ClientConnection } from './client-connection.ts';

/** The arguments that a call goes on with, or what it is refused with. */
export type CheckedCall = { readonly args: unknown[] } | { readonly refusal: string };

/**
 * Holds a call against its method's `parameters`, then asks `authorize`: like ASP.NET Core, which
 * binds first (client protocols reference, sections 6.4 and 6.8).
 */
export async function checkCall(
  client: ClientConnection,
  { target, args }: InvocationMessage,
  name: string,
  { parameters, authorize }: MethodChecks,
): Promise<CheckedCall> {
  let base = callErrors.notBound(target);
  try {
    const bound = parameters === undefined ? args : await bind(parameters, args);
    base = callErrors.threw(target);
    const allowed = authorize === undefined || (await isYes(authorize(client.context, bound)));
    return allowed ? { args: bound } : { refusal: callErrors.unauthorized(target) };
  } catch (error) {
    if (error instanceof InvalidDataException) {
      client.host.refused(name, error.message);
    } else if (!(error instanceof HubError)) {
      client.host.logger.error(`the checks of a call of '${target}' threw`, error);
    }
    const { enableDetailedErrors } = client.route.settings;
    return { refusal: clientErrorText(base, error, enableDetailedErrors) };
  }
}

async function bind(schemas: readonly Schema[], args: readonly unknown[]): Promise<unknown[]> {
  if (args.length > schemas.length) throw countError(args, schemas);
  const bound: unknown[] = [];
  const issues: string[] = [];
  for (const [index, schema] of schemas.entries()) {
    const result = await validated(schema, args[index]);
    if ('value' in result) bound.push(result.value);
    else if (index >= args.length) throw countError(args, schemas);
    else issues.push(`Argument ${index + 1}${result.issues}`);
  }
  if (issues.length > 0) throw new InvalidDataException(callErrors.argumentTypes(issues.join(' ')));
  return bound;
}

function countError(args: readonly unknown[], schemas: readonly Schema[]): InvalidDataException {
  return new InvalidDataException(callErrors.argumentCount(args.length, schemas.length));
}

/** The value as the schema has it, or what is wrong with it as text. Throws what the schema throws. */
export async function validated(
  schema: Schema,
  value: unknown,
): Promise<{ readonly value: unknown } | { readonly issues: string }> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { value: result.value };
  const texts = result.issues.map(({ message, path = [] }) => {
    const keys = path.map((step) => String(typeof step === 'object' ? step.key : step));
    return keys.length === 0 ? `: ${message}` : ` (${keys.join('.')}): ${message}`;
  });
  return { issues: texts.join(';') };
}
