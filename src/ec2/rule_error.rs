use thiserror::Error;

/// Why something is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    #[error(
        "`{0}` is not a protocol: write tcp, udp, icmp, icmpv6, all (or -1), or a number from 0 to 255"
    )]
    Protocol(String),
    /// Not a peer.
    #[error("`{0}` is not a peer: write a CIDR block, sg-…, account/sg-… or pl-…")]
    Peer(String),
    /// Ports that the protocol cannot have.
    #[error("{protocol} has no ports {from} to {to}")]
    Ports {
        protocol: String,
        /// What was given as the first, `none` where nothing was.
        from: String,
        /// What was given as the last.
        to: String,
    },
}
