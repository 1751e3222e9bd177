//! Landlock and seccomp. Each rule says what it lets through; what no rule names is refused, and what
//! only an attack would call ends the process.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};
use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, Le, MaskedEq};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use std::collections::BTreeMap;
use std::error::Error;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

pub fn close() -> Vec<String> {
    let mut missing = Vec::new();
    match landlock() {
        Ok(RulesetStatus::FullyEnforced) => {}
        Ok(RulesetStatus::PartiallyEnforced) => {
            missing.push("landlock knows no network in this kernel".into())
        }
        Ok(RulesetStatus::NotEnforced) => missing.push("this kernel has no landlock".into()),
        Err(error) => missing.push(format!("landlock failed: {error}")),
    }
    if let Err(error) =
        attacks().and_then(|rules| apply(rules, SeccompAction::Allow, SeccompAction::KillProcess))
    {
        missing.push(format!("seccomp failed: {error}"));
    }
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    if let Err(error) = computing().and_then(|rules| apply(rules, refuse, SeccompAction::Allow)) {
        missing.push(format!("seccomp failed: {error}"));
    }
    missing
}

/// Takes back what the first step still needed. `ENOSYS` makes the C library start threads by `clone`,
/// whose flags a filter can see; those of `clone3` it cannot.
pub fn seal() -> Vec<String> {
    let last = [libc::SYS_prlimit64, libc::SYS_seccomp, libc::SYS_prctl, libc::SYS_clone3];
    let rules = last.into_iter().map(|call| (call, Vec::new())).collect();
    let applied = apply(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32));
    applied.err().map(|error| format!("seccomp failed: {error}")).into_iter().collect()
}

fn landlock() -> Result<RulesetStatus, landlock::RulesetError> {
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V6))?
        .handle_access(AccessNet::from_all(ABI::V6))?
        .scope(Scope::from_all(ABI::V6))?;
    Ok(ruleset.create()?.restrict_self()?.ruleset)
}

fn apply(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Result<(), Box<dyn Error>> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let program: BpfProgram = SeccompFilter::new(rules, otherwise, matched, architecture)?.try_into()?;
    Ok(seccompiler::apply_filter_all_threads(&program)?)
}

/// No reader of files calls these, by whatever mistake.
fn attacks() -> Result<Rules, Box<dyn Error>> {
    let always = [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_bpf,
        libc::SYS_io_uring_setup,
        libc::SYS_userfaultfd,
        libc::SYS_perf_event_open,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_memfd_create,
        libc::SYS_setuid,
        libc::SYS_setgid,
    ];
    let mut rules: Rules = always.into_iter().map(|call| (call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.extend([(libc::SYS_fork, Vec::new()), (libc::SYS_vfork, Vec::new())]);
    // A new process, or a new namespace with it.
    let not_a_thread = when(0, MaskedEq(libc::CLONE_THREAD as u64), 0)?;
    rules.insert(libc::SYS_clone, vec![not_a_thread]);
    Ok(rules)
}

fn computing() -> Result<Rules, Box<dyn Error>> {
    let always = [
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_tgkill,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
        libc::SYS_restart_syscall,
        libc::SYS_set_tid_address,
        libc::SYS_close,
        // Taken back by the second step.
        libc::SYS_seccomp,
        libc::SYS_prctl,
    ];
    let mut rules: Rules = always.into_iter().map(|call| (call, Vec::new())).collect();
    for call in [libc::SYS_read, libc::SYS_readv, libc::SYS_write, libc::SYS_writev, libc::SYS_fstat] {
        rules.insert(call, vec![when(0, Le, libc::STDERR_FILENO as u64)?]);
    }
    // No page can be made to run that did not run before, and no file be mapped.
    let not_running = |argument| condition(argument, MaskedEq(libc::PROT_EXEC as u64), 0);
    let without_file = condition(4, Eq, u64::from(u32::MAX))?;
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![not_running(2)?, without_file])?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![not_running(2)?])?]);
    // Only for itself, until the second step.
    rules.insert(libc::SYS_prlimit64, vec![when(0, Eq, 0)?]);
    let thread = (libc::CLONE_THREAD | libc::CLONE_VM) as u64;
    rules.insert(libc::SYS_clone, vec![when(0, MaskedEq(thread), thread)?]);
    Ok(rules)
}

fn when(argument: u8, compared: SeccompCmpOp, value: u64) -> Result<SeccompRule, Box<dyn Error>> {
    Ok(SeccompRule::new(vec![condition(argument, compared, value)?])?)
}

fn condition(argument: u8, compared: SeccompCmpOp, value: u64) -> Result<SeccompCondition, Box<dyn Error>> {
    Ok(SeccompCondition::new(argument, Dword, compared, value)?)
}
