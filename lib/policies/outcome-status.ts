import { invoke, propertyOf } from '../errors/foreign.js';

/** The HTTP status that `error` carries, in the shapes that the clients of the field use; integers 400-599 only. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { response, $metadata } = error as { response?: unknown; $metadata?: unknown };
  return (
    asStatus(invoke(error, 'getStatus')) ??
    asStatus(propertyOf(error, 'status')) ??
    asStatus(propertyOf(error, 'statusCode')) ??
    asStatus(propertyOf(response, 'status')) ??
    asStatus(propertyOf(response, 'statusCode')) ??
    asStatus(propertyOf($metadata, 'httpStatusCode')) ??
    statusOfRpcError(error)
  );
}

/** An RpcException holds what was thrown remotely: a status, or an object with one. */
function statusOfRpcError(error: object): number | undefined {
  const inner = invoke(error, 'getError');
  return asStatus(inner) ?? asStatus(propertyOf(inner, 'status')) ?? asStatus(propertyOf(inner, 'statusCode'));
}

function asStatus(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599 ? value : undefined;
}
