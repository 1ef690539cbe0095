import type { Dispatcher } from 'undici'

/** A request that was not sent, because the fence threw; what it threw is the cause. */
export class FencedRequest extends Error {
  override readonly name = 'FencedRequest'
}

/**
 * Calls `fence` for each request once its connection is there and nothing but sending is left, because a request may wait
 * long for its turn. What the fence throws prevents the request, which fails with a {@link FencedRequest}.
 */
export const fenceRequests =
  (fence: () => void): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        try {
          fence()
        } catch (cause) {
          throw new FencedRequest('The fence did not let a request through', { cause })
        }
        handler.onRequestStart?.(controller, context)
      },
      onResponseStart: (...all) => handler.onResponseStart?.(...all),
      onResponseData: (...all) => handler.onResponseData?.(...all),
      onResponseEnd: (...all) => handler.onResponseEnd?.(...all),
      onResponseError: (...all) => handler.onResponseError?.(...all),
    })
