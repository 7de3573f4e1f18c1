using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Interop;

/// <summary>Marks connections, and tells their clients of arguments that are wrong.</summary>
public sealed class ExcuseFilter : IHubFilter
{
  public const string Seen = "seen by the filter";

  public Task OnConnectedAsync(HubLifetimeContext context, Func<HubLifetimeContext, Task> next)
  {
    context.Context.Items[Seen] = true;
    return next(context);
  }

  public async ValueTask<object?> InvokeMethodAsync(
    HubInvocationContext invocation, Func<HubInvocationContext, ValueTask<object?>> next)
  {
    try
    {
      return await next(invocation);
    }
    catch (ArgumentException error)
    {
      throw new HubException($"Excuse me: {error.Message}");
    }
  }
}
