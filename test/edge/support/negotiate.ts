import { userToken } from './tokens.ts';

export interface NegotiateOptions {
  /** `chat` when not given. */
  hub?: string;
  userId?: string | undefined;
  /** Made for the hub and the user when not given. */
  token?: string;
  /** 1 when not given. */
  version?: 0 | 1;
}

/** What a client connects with. */
export interface Negotiated {
  readonly hub: string;
  readonly accessToken: string;
  readonly connectionId: string;
  /** What goes into `id`: in version 0 the connection id itself. */
  readonly connectionToken: string;
}

/** Throws with the status of an answer that is not 200. */
export async function negotiate(
  edgeUrl: string,
  { hub = 'chat', userId, token = userToken(hub, userId), version = 1 }: NegotiateOptions = {},
): Promise<Negotiated> {
  const url = `${edgeUrl}/client/negotiate?hub=${hub}&negotiateVersion=${version}`;
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(url, { method: 'POST', headers });
  if (!response.ok) throw new Error(`negotiate was answered with ${response.status}`);
  const answer = (await response.json()) as { connectionId: string; connectionToken?: string };
  const { connectionId, connectionToken = connectionId } = answer;
  return { hub, accessToken: token, connectionId, connectionToken };
}
