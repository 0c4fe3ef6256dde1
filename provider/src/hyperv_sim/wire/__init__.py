"""WinRM as a client sees it: sockets, HTTP and its authentication, WSMan, PSRP."""
