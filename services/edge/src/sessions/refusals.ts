import { queryValue } from '@trunkline/protocol';
import type { HttpAnswer, HttpRequest } from '../ports/listener.ts';
import type { EdgeContext } from './edge-context.ts';

/**
 * What a client is answered, as it is; a refusal is logged. What is said of its hub and origin is what
 * the client says.
 */
export function noted(context: EdgeContext, request: HttpRequest, answer: HttpAnswer): HttpAnswer {
  if (answer.why === undefined) return answer;
  const { remoteAddress } = request;
  const hub = queryValue(request.query, 'hub');
  const origin = request.headers.get('origin');
  if (answer.why === 'origin') {
    context.digest.info({ origin, hub }, 'origin refused', { remoteAddress });
  } else {
    context.digest.info({ reason: answer.why, hub, origin }, 'client refused', { remoteAddress });
  }
  return answer;
}
