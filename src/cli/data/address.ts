/** Where `waybill run` serves dead letters, and where commands look for them. */
export const defaultDataListen = '127.0.0.1:9403'
export const dataOption = '--data-listen'
