"""Kernels that users bring: a folder with what a distribution's packages of a kernel unpack to, or a kernel's source tree."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import matrix, tree

MODULES = ("lib/modules", "usr/lib/modules")
# Where packages have their headers: Debian, Ubuntu and Alpine; Fedora and RHEL; SUSE.
HEADERS = ("usr/src/*", "usr/src/kernels/*", "usr/src/*/*/*")
VERSION_FILE = "include/generated/utsrelease.h"
# The machine that scripts/vm makes speaks through this driver.
DRIVER = "virtio_console"
# What a build leaves in a tree. make does not build elsewhere from such a tree.
BUILT = (".config", "include/config", "include/generated", "arch/x86/include/generated")


class Bad(Exception):
    """What is wrong with a folder, in one line."""


def kernel_version(image: Path) -> str:
    """The release in the head of a kernel for x86-64, or "" if the file is not such a kernel."""
    with open(image, "rb") as file:
        head = file.read(0x10000)
    if head[0x202:0x206] != b"HdrS":
        return ""
    at = 0x200 + int.from_bytes(head[0x20e:0x210], "little")
    return head[at:head.find(b"\0", at)].decode(errors="replace").partition(" ")[0]


def one(found: list[str], none: str, many: str) -> str:
    if not found:
        raise Bad(none)
    if len(found) > 1:
        raise Bad(f"{many}: {' '.join(sorted(found))}")
    return found[0]


@dataclass(frozen=True)
class Config:
    """The configuration of a kernel."""

    file: Path

    def value(self, option: str) -> str:
        found = re.search(rf"^{option}=(.*)$", self.file.read_text(encoding="utf-8"), re.M)
        return found[1].strip('"') if found else ""

    def skips(self) -> list[str]:
        """What the tests may skip on a kernel with this configuration."""
        return [pattern for option, pattern in matrix.data()["skips"].items() if not self.value(f"CONFIG_{option}")]


@dataclass(frozen=True)
class Folder:
    """A kernel in a folder."""

    top: Path

    def below(self, *patterns: str) -> list[Path]:
        """Files below the folder. A link that leads to nothing is no file."""
        return [path for pattern in patterns for path in sorted(self.top.glob(pattern)) if path.exists()]

    @property
    def release(self) -> str:
        found = {path.name for path in self.below(*(f"{modules}/*" for modules in MODULES)) if path.is_dir()}
        return one(list(found), "no lib/modules/RELEASE", "more than one release")

    @property
    def modules(self) -> Path:
        """The folder with the modules. Packages of headers have one of the same name."""
        found = self.below(*(f"{modules}/{self.release}/modules.order" for modules in MODULES))
        if not found:
            raise Bad(f"no modules.order in lib/modules/{self.release}: a package is missing")
        return found[0].parent

    @property
    def image(self) -> Path:
        """The kernel. If it has another release than the modules, nothing would load."""
        release = self.release
        found = self.below("vmlinuz", f"boot/vmlinuz-{release}", *(f"{modules}/{release}/vmlinuz" for modules in MODULES),
                           "boot/vmlinuz", "boot/vmlinuz-*")
        if not found:
            raise Bad("no vmlinuz, boot/vmlinuz* or lib/modules/RELEASE/vmlinuz")
        says = kernel_version(found[0])
        if tree.host_arch() == "amd64" and says != release:
            raise Bad(f"{found[0].relative_to(self.top)} is {says or 'no kernel for x86-64'}, and the modules are of {release}")
        return found[0]

    @property
    def headers(self) -> Path:
        built = {}
        for path in self.below(*(f"{headers}/{VERSION_FILE}" for headers in HEADERS)):
            said = re.search(r'UTS_RELEASE "(.*)"', path.read_text(encoding="utf-8"))
            built[said[1] if said else "?"] = path.parents[2]
        if self.release not in built:
            raise Bad(f"no headers of {self.release} in usr/src" + (f", only of {' '.join(sorted(built))}" if built else ""))
        return built[self.release]

    @property
    def config(self) -> Config:
        if not (self.headers / ".config").exists():
            raise Bad(f"no .config in {self.headers.relative_to(self.top)}")
        return Config(self.headers / ".config")

    def tools(self) -> bytes:
        """The programs of the headers that a build of a module runs."""
        files = self.below(*(str((self.headers / name).relative_to(self.top)) for name in
                             ("scripts/basic/fixdep", "scripts/mod/modpost", "tools/objtool/objtool")))
        if not files:
            # Debian's headers have them in another package, behind a link.
            raise Bad(f"no scripts/mod/modpost in {self.headers.relative_to(self.top)}: a package of headers is missing")
        return b"".join(file.read_bytes() for file in files)

    def root(self) -> str:
        """The root to build in. Its compiler is not older than the kernel's, and its libc can run the tools of the headers."""
        if self.config.value("CONFIG_CC_IS_CLANG"):
            raise Bad("clang has built this kernel, and modules for a folder are built with gcc only")
        tools = self.tools()
        if b"ld-musl" in tools:
            raise Bad("the programs in its headers need musl, and modules are built on Debian, which has glibc")
        libc = max((tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", tools)), default=(0, 0))
        gcc = int(self.config.value("CONFIG_GCC_VERSION") or 0) // 10000
        for name, has in matrix.data()["roots"].items():
            if has["gcc"] >= gcc and tuple(has["glibc"]) >= libc:
                return name
        return "experimental"

    def check(self) -> None:
        """Raises Bad if the kernel cannot be tested."""
        if not self.top.is_dir():
            raise Bad("no such folder")
        if re.search(r"\s", str(self.top)):
            raise Bad("the name of the folder must not have spaces")
        option = f"CONFIG_{matrix.architecture(tree.host_arch())['option']}"
        modules, image, config = self.modules, self.image, self.config
        if not config.value(option):
            raise Bad(f"{image.relative_to(self.top)} was built without {option}, and is not for this machine")
        if config.value(f"CONFIG_{DRIVER.upper()}") != "y" and not list(modules.rglob(f"{DRIVER}.ko*")):
            raise Bad(f"no {DRIVER}, which a VM needs: a package of modules is missing")
        self.root()


@dataclass(frozen=True)
class Source:
    """A kernel's source tree."""

    top: Path

    @property
    def version(self) -> tuple[int, int]:
        """The version and the patch level."""
        makefile = self.top / "Makefile"
        text = makefile.read_text(encoding="utf-8", errors="replace") if makefile.exists() else ""
        found = re.match(r"(?:#.*\n)?VERSION = (\d+)\nPATCHLEVEL = (\d+)\n", text)
        if not found:
            raise Bad("no source of a kernel: its Makefile has no VERSION and PATCHLEVEL")
        return int(found[1]), int(found[2])

    def suite(self) -> str:
        """The newest suite whose own kernel is not newer. Its compiler is of the tree's age."""
        series = {tuple(map(int, suite["series"].split("."))): name
                  for name, suite in matrix.data()["suites"].items() if "series" in suite}
        older = [one for one in series if one <= self.version]
        if not older:
            raise Bad(f"Linux {'.'.join(map(str, self.version))} is older than {'.'.join(map(str, min(series)))}")
        return series[max(older)]

    def check(self) -> None:
        self.suite()
        if built := [name for name in BUILT if (self.top / name).exists()]:
            raise Bad(f"it has {built[0]}, so somebody has built in it: `make mrproper` makes it clean")


def checked(kind: type, name: str) -> Folder | Source:
    """The folder or tree of this name. What is wrong with it ends the command."""
    brought = kind(Path(name).absolute())
    try:
        brought.check()
    except Bad as bad:
        tree.die(f"{name}: {bad}")
    return brought


def known(names: list[str]) -> list[str]:
    """The names of kernels, with folders as they are for scripts/kernels. A folder that cannot be tested ends the command."""
    return [str(checked(Folder, name).top) if name.startswith(("/", ".")) else name for name in names]


def main(arguments: list[str]) -> int:
    """brought FOLDER: prints its release, kernel, modules, headers, configuration and root, for scripts/kernels."""
    folder = checked(Folder, *arguments)
    print(folder.release, folder.image, folder.modules, folder.headers, folder.config.file, folder.root(), sep="\n")
    return 0
