import { mutateText, type Random } from './mutate.ts';
import { CONNECTION_STRING, startNegotiate } from './services.ts';

/**
 * Starts a negotiate service with a connection string that is changed a little. Answers what is wrong
 * when it neither runs nor says in one line what to change.
 */
export async function tryConnectionString(
  random: Random,
  others: readonly string[],
): Promise<string | undefined> {
  // No variable can hold a NUL.
  const text = mutateText(CONNECTION_STRING, random, others).replaceAll('\0', '');
  try {
    const service = await startNegotiate(text);
    await service.stop();
    return undefined;
  } catch (error) {
    const said = (error as Error).message.split('\n');
    const clear = said.length === 2 && said[1]!.startsWith('trunkline-negotiate: ');
    return clear ? undefined : `connection string ${JSON.stringify(text)}: ${said.join(' | ')}`;
  }
}
