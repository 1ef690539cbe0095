/** A certificate for localhost and 127.0.0.1 that signed itself, valid for a hundred years; its key protects nothing. */
export const cert = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUPngMFxKsvLIs+3EDNqNV6AVzLaowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzEwMjYxM1oYDzIxMjYxMDMw
MTAyNjEzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASWsvkRmGvrMJAhLee2n7YU+bFOKdwzpdezHrw6l0+9hgShLQGy4gjM
xlMSy6kd6sUxjcgjo4wdRzVBBIqhuZASo28wbTAdBgNVHQ4EFgQU+pMGWxFNr2Q9
D4zhugQG4gCHarcwHwYDVR0jBBgwFoAU+pMGWxFNr2Q9D4zhugQG4gCHarcwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgIDsptqTC5hmAx9FK4H01hDIcG2IgUIlt2tkSNztu7v4CIBMl
H1GXL0MIxjR0crnobeeFYwZs3qra43OD6IcgILU3
-----END CERTIFICATE-----
`

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgczlY8sNz4mbmCxAR
404NCGihbaziwHu5T8dtLiTtXVahRANCAASWsvkRmGvrMJAhLee2n7YU+bFOKdwz
pdezHrw6l0+9hgShLQGy4gjMxlMSy6kd6sUxjcgjo4wdRzVBBIqhuZAS
-----END PRIVATE KEY-----
`
