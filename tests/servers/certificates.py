"""Authorities and certificates of one test."""

from pathlib import Path

import trustme


class Authority:
    """Signs certificates for this machine and for clients."""

    def __init__(self) -> None:
        self._made = trustme.CA()

    def write(self, file: Path) -> Path:
        """The authority itself, for whoever trusts it."""
        self._made.cert_pem.write_to_path(str(file))
        return file

    def server(self, folder: Path) -> None:
        """server.crt and server.key for 127.0.0.1."""
        self._write(self._made.issue_cert("127.0.0.1"), folder, "server")

    def client(self, folder: Path, name: str) -> tuple[str, str]:
        """Certificate and key of a client with this name, a file each."""
        return self._write(self._made.issue_cert(name), folder, name)

    def _write(self, made: trustme.LeafCert, folder: Path, name: str) -> tuple[str, str]:
        files = folder / f"{name}.crt", folder / f"{name}.key"
        for file in files:  # a new file in place of the old one, as whoever rotates does it
            file.unlink(missing_ok=True)
        made.cert_chain_pems[0].write_to_path(str(files[0]))
        made.private_key_pem.write_to_path(str(files[1]))
        return str(files[0]), str(files[1])
