/**
 * Those of the edges that are reached by a URL of their own. Two with the same URL stand behind a load
 * balancer, which chooses by itself.
 */
export function withOwnUrls<Edge extends { readonly publicUrl: string }>(
  edges: readonly Edge[],
): Edge[] {
  const edgesAt = new Map<string, number>();
  for (const { publicUrl } of edges) edgesAt.set(publicUrl, (edgesAt.get(publicUrl) ?? 0) + 1);
  return edges.filter(({ publicUrl }) => publicUrl !== '' && edgesAt.get(publicUrl) === 1);
}
