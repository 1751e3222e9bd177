//! Which user the database runs as. Postgres refuses to run as root, so a root server lends it an
//! unprivileged user; any other server runs it as itself.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use crate::error::{Error, io_at};
use crate::place;

/// The names tried when the server is root, best first. Both are listed because a bare system
/// has no `postgres`.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// The server is an ordinary user: Postgres runs as the same.
    Same,
    /// The server is root: Postgres runs as this user.
    Lent { uid: u32, gid: u32 },
}

impl Account {
    /// Chooses the user for the cluster at `cluster`, which need not exist yet. An existing one
    /// keeps its owner, so that a user added to the system later does not lock it out.
    pub(crate) fn choose(cluster: &Path) -> Result<Self, Error> {
        let me = rustix::process::geteuid().as_raw();
        let owner = match fs::metadata(cluster) {
            Ok(metadata) => Some((metadata.uid(), metadata.gid())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_at("look at", cluster)(error)),
        };
        match (me, owner) {
            (0, Some((uid, gid))) if uid != 0 => Ok(Self::Lent { uid, gid }),
            (0, _) => Self::unprivileged(),
            (_, Some((owner, _))) if owner != me => {
                Err(Error::OtherOwner { cluster: cluster.to_owned(), owner })
            }
            _ => Ok(Self::Same),
        }
    }

    fn unprivileged() -> Result<Self, Error> {
        let path = Path::new("/etc/passwd");
        let table = fs::read_to_string(path).map_err(io_at("read", path))?;
        UNPRIVILEGED
            .iter()
            .find_map(|name| entry(&table, name))
            .map(|(uid, gid)| Self::Lent { uid, gid })
            .ok_or(Error::NoUnprivilegedUser)
    }

    /// Makes the file or folder this user's, when it is another than ours.
    pub(crate) fn give(self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Same => Ok(()),
            Self::Lent { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(io_at("change the owner of", path))
            }
        }
    }

    /// Lets this user walk through our own data folder (not list it) where it cannot be handed to
    /// it open, for want of `/proc`. Secrets in there are closed one by one.
    pub(crate) fn let_through(self, data: &Path) -> Result<(), Error> {
        if self == Self::Same || Path::new(place::DESCRIPTORS).is_dir() {
            return Ok(());
        }
        let mut permissions = fs::metadata(data).map_err(io_at("look at", data))?.permissions();
        permissions.set_mode(permissions.mode() | 0o011);
        fs::set_permissions(data, permissions).map_err(io_at("open up", data))
    }

    /// Whether this user can walk down to `path`, judged by the permission bits of every folder
    /// above it. Access lists are not looked at: where they would allow it, a "no" only costs a
    /// detour.
    pub(crate) fn reaches(self, path: &Path) -> bool {
        match self {
            Self::Same => true,
            Self::Lent { uid, gid } => path
                .ancestors()
                .skip(1)
                .all(|folder| fs::metadata(folder).is_ok_and(|metadata| may_enter(&metadata, uid, gid))),
        }
    }
}

fn may_enter(folder: &fs::Metadata, uid: u32, gid: u32) -> bool {
    let bit = if folder.uid() == uid {
        0o100
    } else if folder.gid() == gid {
        0o010
    } else {
        0o001
    };
    folder.mode() & bit != 0
}

/// User and group id of `name` in the text of a passwd file.
fn entry(table: &str, name: &str) -> Option<(u32, u32)> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some((uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "root:x:0:0:root:/root:/bin/bash\n\
                         nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n\
                         toor:x:0:0::/root:/bin/sh\nbroken:x\n";

    #[test]
    fn an_entry_gives_user_and_group() {
        assert_eq!(entry(TABLE, "nobody"), Some((65534, 65533)));
    }

    #[test]
    fn a_second_name_for_root_is_not_unprivileged() {
        assert_eq!(entry(TABLE, "toor"), None);
    }

    #[test]
    fn broken_and_absent_entries_are_none() {
        assert_eq!(entry(TABLE, "broken"), None);
        assert_eq!(entry(TABLE, "postgres"), None);
    }

    #[test]
    fn a_folder_closed_to_others_is_out_of_reach() {
        let closed = std::env::temp_dir().join(format!("closed-{}", std::process::id()));
        fs::create_dir_all(closed.join("inside")).unwrap();
        let set = |mode| {
            fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
        };
        let stranger = Account::Lent { uid: 54321, gid: 54321 };
        set(0o700);
        assert!(!stranger.reaches(&closed.join("inside")));
        assert!(stranger.reaches(&closed));
        set(0o711);
        assert!(stranger.reaches(&closed.join("inside")));
        fs::remove_dir_all(&closed).unwrap();
    }
}
