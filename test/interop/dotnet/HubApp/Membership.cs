using Microsoft.AspNetCore.SignalR;
using Microsoft.Azure.SignalR;

namespace Trunkline.Interop;

/// <summary>
/// Who is in a group. The package offers that by its Management SDK alone, but all that it does is
/// here, not public: the question, its pages, and the ack that answers it.
/// </summary>
public static class Membership
{
  private const string Manager = "Microsoft.Azure.SignalR.IServiceConnectionManager`1";

  /// <summary>Connection id and user id of each member, by pages; without a size, the service's.</summary>
  public static async Task<List<List<string?[]>>> List<THub>(
    IServiceProvider services, string group, int? pageSize) where THub : Hub
  {
    var package = typeof(ServiceOptions).Assembly;
    var manager = services.GetRequiredService(
      package.GetType(Manager, true)!.MakeGenericType(typeof(THub)));
    var method = manager.GetType().GetMethod("ListConnectionsInGroupAsync")!;
    // The group, how many at most, page size, continuation token, tracing id.
    object?[] arguments = [group, null, pageSize, null, null, CancellationToken.None];
    // Not all versions have the type of a member.
    var pages = (IAsyncEnumerable<object>)method.Invoke(manager, arguments)!;
    var all = new List<List<string?[]>>();
    await foreach (dynamic page in pages)
    {
      var members = new List<string?[]>();
      foreach (var member in page.Values) members.Add([member.ConnectionId, member.UserId]);
      all.Add(members);
    }
    return all;
  }
}
