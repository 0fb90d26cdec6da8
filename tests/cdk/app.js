// Synthesises tests/templates/cdk-synthesised.json: the command is in tests/templates/README.md.
const { App, CfnParameter, DefaultStackSynthesizer, Stack, aws_ec2: ec2 } = require("aws-cdk-lib");

const app = new App({ analyticsReporting: false });
const stack = new Stack(app, "Shop", {
  synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
});
const vpc = ec2.Vpc.fromVpcAttributes(stack, "Vpc", {
  vpcId: "vpc-0f1e2d3c4b5a69788",
  availabilityZones: ["eu-central-1a"],
});
const office = new CfnParameter(stack, "Office", { default: "203.0.113.0/24" });

const balancer = new ec2.SecurityGroup(stack, "Balancer", { vpc, description: "The load balancer" });
balancer.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443));
balancer.addIngressRule(ec2.Peer.anyIpv6(), ec2.Port.tcp(443));

const web = new ec2.SecurityGroup(stack, "Web", { vpc, description: "The web servers" });
web.addIngressRule(balancer, ec2.Port.tcp(80), "from the load balancer");
web.addIngressRule(ec2.Peer.ipv4(office.valueAsString), ec2.Port.tcp(22), "the office");
web.addIngressRule(ec2.Peer.ipv4("0.0.0.0/0"), ec2.Port.tcpRange(20, 25), "too much");

const database = new ec2.SecurityGroup(stack, "Database", { vpc, description: "The database" });
database.connections.allowFrom(web, ec2.Port.tcp(3306));
app.synth();
