"""axe-core, which finds what keeps people from using a page: a pinned npm package, fetched once into the cache folder.

Its script is handed to the browser as text, so that the visited page requests nothing.
"""

import tarfile

from unigeoclip.files.downloads import Package, fetch

_PACKAGE = Package(
    "axe-core", "4.14.1", "axe-core-4.14.1.tgz", 708_405,
    "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745", "npm",
)  # fmt: skip
# What it finds on a page that has the script, of impact "serious" and "critical".
RUN = """async () => {
    const found = await axe.run({ resultTypes: ['violations'] });
    return found.violations.filter(each => ['serious', 'critical'].includes(each.impact)).map(each => ({
        rule: each.id, nodes: each.nodes.map(node => `${node.target.join(' ')}: ${node.any.concat(node.all, node.none)
            .map(check => check.message).join('; ')} in ${node.html.slice(0, 300)}`),
    }));
}"""


def script():
    """The text of its script."""
    with tarfile.open(fetch([_PACKAGE])["axe-core"]) as tarball:
        return tarball.extractfile("package/axe.min.js").read().decode()
