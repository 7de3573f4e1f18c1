namespace Trunkline.Interop;

/// <summary>What a client comes for.</summary>
internal interface IVisit
{
  /// <summary>Throws where something comes out wrong.</summary>
  Task Run();
}
