using System.Text.Json;

namespace Trunkline.Interop;

/// <summary>What all visits need.</summary>
internal static class Common
{
  /// <summary>What the hub's app takes for a sign-in: base64url JSON.</summary>
  public static string SignIn(object identity) =>
    Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(identity))
      .TrimEnd('=').Replace('+', '-').Replace('/', '_');

  public static void Expect<T>(T expected, T actual)
  {
    if (EqualityComparer<T>.Default.Equals(expected, actual)) return;
    throw new InvalidOperationException($"expected {expected}, not {actual}");
  }
}
