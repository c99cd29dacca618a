//! What librdkafka's errors mean for this process: wait, or end with a reason.

use rdkafka::error::RDKafkaErrorCode as Code;

/// What an error means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Waiting mends it, and a state change tells it.
    NoBroker,
    /// Waiting mends it; worth a word.
    Odd(&'static str),
    /// Waiting mends it; librdkafka goes on by itself.
    Passing,
    /// Waiting does not mend it.
    Fatal(String),
}

/// Judges an error that librdkafka reports. `has_met_broker`: whether a broker has ever answered.
pub(super) fn judge(code: Code, reason: &str, has_met_broker: bool) -> Fault {
    match code {
        Code::AllBrokersDown => Fault::NoBroker,
        Code::Authentication | Code::SaslAuthenticationFailed => {
            Fault::Fatal(format!("Kafka authentication failed: {reason}"))
        }
        // A handshake that fails from the start is a matter of configuration; later it is one of
        // the network.
        Code::SSL if !has_met_broker => {
            Fault::Fatal(format!("the TLS connection to Kafka failed: {reason}"))
        }
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => {
            Fault::Fatal(format!("Kafka denies access: {reason}"))
        }
        Code::Fatal
        | Code::UnsupportedFeature
        | Code::InconsistentGroupProtocol
        | Code::InvalidGroupId
        | Code::UnsupportedAssignor => {
            Fault::Fatal(format!("the consumer group cannot be used: {reason}"))
        }
        Code::UnknownTopicOrPartition | Code::UnknownTopic => {
            Fault::Odd("a topic of the sources does not exist; waiting for it")
        }
        Code::PollExceeded => Fault::Odd("the poll loop was too slow; the assignment is lost"),
        _ => Fault::Passing,
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Fault, judge};

    #[test]
    fn what_waiting_does_not_mend_is_fatal_and_says_why() {
        for code in [Code::Authentication, Code::TopicAuthorizationFailed, Code::Fatal] {
            let Fault::Fatal(why) = judge(code, "the reason", true) else {
                panic!("{code} is fatal");
            };
            assert!(why.ends_with(": the reason"), "{why}");
        }
    }

    #[test]
    fn a_failed_handshake_is_fatal_only_before_any_has_succeeded() {
        assert!(matches!(judge(Code::SSL, "", false), Fault::Fatal(_)));
        assert_eq!(judge(Code::SSL, "", true), Fault::Passing);
    }

    #[test]
    fn a_broker_that_is_away_is_waited_for() {
        assert_eq!(judge(Code::AllBrokersDown, "", false), Fault::NoBroker);
        assert_eq!(judge(Code::BrokerTransportFailure, "", false), Fault::Passing);
    }
}
