import { mintClientToken } from '@trunkline/tokens';

/** The key of an edge started with `--dev`. */
export const ACCESS_KEY = 'trunkline-development-key-not-for-production-00000000';

let users = 0;

/** Tokens of as many new users: none is ever seen twice. Each holds about 300 bytes. */
export function newTokens(count: number): string[] {
  return newUsers(count).map(({ token }) => token);
}

/** The same, each with its user. */
export function newUsers(count: number): { token: string; userId: string }[] {
  return Array.from({ length: count }, () => {
    users += 1;
    const userId = `user-${users}`;
    const token = mintClientToken({
      key: ACCESS_KEY,
      audienceBase: 'http://127.0.0.1/',
      hub: 'bench',
      userId,
      claims: {
        name: `User Number ${users}`,
        email: `user-${users}@customers.example.com`,
        tenant: 'a-customer-of-ours',
        department: 'customer services, northern europe',
        role: ['reader', 'writer'],
      },
    });
    return { token, userId };
  });
}
